# SPDX-License-Identifier: ISC
# smcroute-1.0.tar.gz of `make dist` goes beside this file, into files/.
SUMMARY = "Static multicast router"
DESCRIPTION = "Has the kernel forward multicast packets from interface to interface by fixed rules, IPv4 and IPv6"
SECTION = "net"
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=b0f5371f96fd7d68f4b70583d2efa697"

SRC_URI = "file://smcroute-${PV}.tar.gz"

inherit systemd update-rc.d

EXTRA_OEMAKE = "OS=linux PREFIX=${prefix} SYSCONFDIR=${sysconfdir} RUNSTATEDIR=${runtimedir}"
runtimedir ??= "/run"

SYSTEMD_SERVICE:${PN} = "smcroute.service"
SYSTEMD_AUTO_ENABLE = "disable"
INITSCRIPT_NAME = "smcroute"

do_compile() {
    oe_runmake build/smcroute
}

do_install() {
    install -D -m 0755 ${B}/build/smcroute ${D}${sbindir}/smcroute
    for applet in smcrouted smcroutectl smcroute-check; do
        ln -s smcroute ${D}${sbindir}/$applet
    done
    install -D -m 0644 ${S}/smcroute.conf ${D}${sysconfdir}/smcroute.conf
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        for unit in smcroute.service smcroute@.service; do
            install -D -m 0644 ${S}/init/$unit ${D}${systemd_system_unitdir}/$unit
            sed -i 's,/usr/local/sbin,${sbindir},g' ${D}${systemd_system_unitdir}/$unit
        done
    fi
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
        install -D -m 0755 ${S}/init/sysv/smcroute ${D}${sysconfdir}/init.d/smcroute
        sed -i 's,/usr/local/sbin,${sbindir},g' ${D}${sysconfdir}/init.d/smcroute
    fi
}

CONFFILES:${PN} = "${sysconfdir}/smcroute.conf"
