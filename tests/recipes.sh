#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The recipes of init/pkg and the scripts of init/ without the systems that they are for: versions, grammar, and what
# their commands install, run with stand-ins for what those systems give.  Prints TAP.
# shellcheck disable=SC2034
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
unset MAKEOVERRIDES
top=$PWD
release=$(sed -n 's/^RELEASE *= //p' Makefile)

# with PROGRAM NAME COMMAND...: or it is skipped.
with() {
	program=$1
	shift
	if command -v "$program" >/dev/null; then
		ok "$@"
	else
		n=$((n + 1))
		echo "ok $n - $1 # SKIP no $program here"
	fi
}

versions() {
	grep -x "pkgver=$release" init/pkg/alpine/APKBUILD
	grep -x "PKG_VERSION:=$release" init/pkg/openwrt/Makefile
	grep -x "SMCROUTE_VERSION = $release" init/pkg/buildroot/smcroute.mk
	grep "version = \"$release\";" init/pkg/nix/default.nix
	ls "init/pkg/yocto/smcroute_$release.bb"
	grep -x "DISTVERSION=	$release" init/pkg/freebsd/Makefile
	grep "md5=$(md5sum <LICENSE | cut -d ' ' -f 1)" init/pkg/yocto/*.bb
}
# Each shell reads what it will have to run.
grammar() {
	find init -type f -exec grep -lE '^#!/bin/sh|^#!/sbin/openrc-run|shellcheck shell=' {} + >"$dir/scripts"
	[ "$(wc -l <"$dir/scripts")" -ge 10 ]
	while read -r file; do
		"$@" "$file" || { echo "$file"; return 1; }
	done <"$dir/scripts"
}
nix() {
	for file in init/pkg/nix/default.nix init/nixos/smcroute.nix; do
		nix-instantiate --parse "$file" >"$dir/said" || { cat "$dir/said"; return 1; }
	done
}

# built FOLDER: as if it had been built there.
built() {
	mkdir -p "$1/build"
	cp -R init smcroute.conf LICENSE "$1"
	printf 'x' >"$1/build/smcroute"
}
# installed FOLDER FILE...: these are there beside the programs, and name no folder that the system does not have.
installed() {
	to=$1
	shift
	for file in usr/sbin/smcroute "$@"; do
		[ -s "$to/$file" ] || { echo "no $file"; (cd "$to" && find .); return 1; }
	done
	for a in smcrouted smcroutectl smcroute-check; do
		[ "$(readlink "$to/usr/sbin/$a")" = smcroute ] || { echo "no $a"; return 1; }
	done
	if grep -r /usr/local/sbin/ "$to"; then return 1; fi
}

openwrt() {
	at=$dir/openwrt
	built "$at/src"
	mkdir -p "$at/include"
	cat >"$at/rules.mk" <<-'END'
		INSTALL_DIR = install -d
		INSTALL_BIN = install -m 755
		INSTALL_CONF = install -m 600
		LN = ln -sf
		SED = sed -i
	END
	# What OpenWrt's BuildPackage makes of a recipe, as far as its commands go.
	cat >"$at/include/package.mk" <<-'END'
		define BuildPackage
		install:
			$(call Package/$(1)/install,$(TO))
		endef
	END
	make -s -f init/pkg/openwrt/Makefile TOPDIR="$at" INCLUDE_DIR="$at/include" PKG_BUILD_DIR="$at/src" \
		TO="$at/to" install
	installed "$at/to" etc/init.d/smcroute etc/smcroute.conf
}
buildroot() {
	at=$dir/buildroot
	built "$at/src"
	cp init/pkg/buildroot/smcroute.mk "$at/mk"
	# shellcheck disable=SC2016
	{
		echo 'include $(MK)'
		echo 'install:'
		for part in TARGET_CMDS INIT_SYSTEMD INIT_OPENRC INIT_SYSV; do
			printf '\t$(SMCROUTE_INSTALL_%s)\n' "$part"
		done
	} >"$at/Makefile"
	(cd "$at/src" && make -s -f ../Makefile MK="$at/mk" @D="$at/src" INSTALL=install TARGET_DIR="$at/to" \
		SMCROUTE_PKGDIR="$top/init/pkg/buildroot" BR2_DL_DIR=/none install)
	installed "$at/to" etc/init.d/smcroute etc/init.d/S50smcroute etc/smcroute.conf \
		usr/lib/systemd/system/smcroute.service
}
alpine() {
	at=$dir/alpine pkgdir=$dir/alpine/to
	built "$at/src"
	# shellcheck disable=SC1090,SC1091
	. "$top/init/pkg/alpine/APKBUILD"
	# abuild(1) ends at a maintainer without an address.
	grep -qE '^# Maintainer: [^<>]+ <[^ <>@]+@[^ <>@]+\.[a-z]+>$' "$top/init/pkg/alpine/APKBUILD" || return 1
	cd "$at/src"
	# In the place of `make install`, which tests/make.sh runs.
	make() { [ "${6:-$5}" = install ] || [ "$4" = install ] && touch "$at/made"; }
	package
	ls "$at/made"
	[ -x "$pkgdir/etc/init.d/smcroute" ] && [ -s "$pkgdir/etc/conf.d/smcroute" ]
	if grep -r /usr/local/sbin/ "$pkgdir"; then return 1; fi
}
yocto() {
	at=$dir/yocto
	built "$at/src"
	# Its functions are shell but for what bitbake puts in; and all features are on.
	sed -n '/^do_install/,/^}/p' init/pkg/yocto/*.bb | sed 's/\${@[^}]*}/true/' >"$at/script"
	B=$at/src S=$at/src D=$at/to sbindir=/usr/sbin sysconfdir=/etc systemd_system_unitdir=/lib/systemd/system
	# shellcheck disable=SC1090,SC1091
	. "$at/script"
	do_install
	installed "$at/to" etc/init.d/smcroute etc/smcroute.conf lib/systemd/system/smcroute.service \
		lib/systemd/system/smcroute@.service
}

# The list has what an installation has, but for the papers, and the commands of the recipe what that has not.
freebsd_port() {
	at=$dir/port
	mkdir -p "$at/stage"
	make -s all B="${B:-build}" >/dev/null
	make -s install B="${B:-build}" PREFIX=/usr/local DESTDIR="$at/stage" >/dev/null
	rm -r "$at/stage/usr/local/share/doc"
	sed -n '/^post-install:/,/^$/p' init/pkg/freebsd/Makefile >"$at/post"
	cat >"$at/Makefile" <<-'END'
		MKDIR = mkdir -p
		SED = sed
		CHMOD = chmod
		INSTALL_DATA = install -m 644
	END
	cat "$at/post" >>"$at/Makefile"
	make -s -f "$at/Makefile" post-install PREFIX=/usr/local STAGEDIR="$at/stage" WRKSRC="$top"
	(cd "$at/stage/usr/local" && find . ! -type d) | sed -e 's,^\./,,' -e 's,\.[58]$,&.gz,' | sort >"$at/there"
	sed 's,^@sample([^)]*) ,,' init/pkg/freebsd/pkg-plist | sort | diff - "$at/there"
	[ -x "$at/stage/usr/local/etc/rc.d/smcroute" ]
}
# Run with what rc.subr(8) would do, as far as the variables go.
freebsd_script() {
	at=$dir/rc
	mkdir "$at"
	cat >"$at/rc.subr" <<-'END'
		load_rc_config() { :; }
		run_rc_command() {
			echo "$rcvar=$smcroute_enable $1"
			echo "$command $command_args"
			echo "$required_modules"
			eval "reload=\$reload_precmd"
			"$reload"
		}
	END
	printf '#!/bin/sh\necho "ran $*"\n' >"$at/smcrouted"
	chmod 755 "$at/smcrouted"
	sed -e "s,/etc/rc.subr,$at/rc.subr," -e "s,/usr/local/sbin,$at," init/freebsd/smcroute >"$at/script"
	sh "$at/script" reload >"$at/said"
	cat "$at/said"
	grep -x 'smcroute_enable=NO reload' "$at/said"
	grep -x "$at/smcrouted -k -f .*/smcroute.conf -P /var/run/smcroute.pid -u /var/run/smcroute.sock" "$at/said"
	grep -x 'ip_mroute ip6_mroute' "$at/said"
	grep -x 'ran -F /usr/local/etc/smcroute.conf' "$at/said"
}

ok "the recipes are of this release, and know its licence" versions
ok "scripts of init/: the grammar of sh" grammar sh -n
with busybox "scripts of init/: the grammar of busybox" grammar busybox ash -n
with bash "scripts of init/: the grammar of bash" grammar bash -n
with nix-instantiate "Nix: grammar" nix
ok "OpenWrt: what its commands install" openwrt
ok "Buildroot: what its commands install" buildroot
ok "Alpine: what its commands install" alpine
ok "Yocto: what its commands install" yocto
ok "FreeBSD: the list of the port is what is installed" freebsd_port
ok "FreeBSD: the script of rc.d" freebsd_script
plan
