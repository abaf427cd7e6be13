# SPDX-License-Identifier: ISC
################################################################################
#
# smcroute
#
# This folder as package/smcroute, smcroute-$(SMCROUTE_VERSION).tar.gz of
# `make dist` in $(BR2_DL_DIR)/smcroute.
#
################################################################################

SMCROUTE_VERSION = 1.0
SMCROUTE_SOURCE = smcroute-$(SMCROUTE_VERSION).tar.gz
SMCROUTE_SITE = $(BR2_DL_DIR)/smcroute
SMCROUTE_SITE_METHOD = file
SMCROUTE_LICENSE = ISC
SMCROUTE_LICENSE_FILES = LICENSE

SMCROUTE_OPTS = OS=linux PREFIX=/usr RUNSTATEDIR=/run \
	WITH_HOST=$(if $(BR2_PACKAGE_SMCROUTE_HOST_CHECKS),yes,no)

define SMCROUTE_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(TARGET_CONFIGURE_OPTS) $(MAKE) -C $(@D) $(SMCROUTE_OPTS) build/smcroute
endef

define SMCROUTE_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/build/smcroute $(TARGET_DIR)/usr/sbin/smcroute
	for a in smcrouted smcroutectl smcroute-check; do \
		ln -sf smcroute $(TARGET_DIR)/usr/sbin/$$a || exit 1; done
	$(INSTALL) -D -m 0644 $(@D)/smcroute.conf $(TARGET_DIR)/etc/smcroute.conf
endef

define SMCROUTE_INSTALL_INIT_SYSTEMD
	sed 's,/usr/local/sbin,/usr/sbin,g' $(@D)/init/smcroute.service >$(@D)/smcroute.service
	$(INSTALL) -D -m 0644 $(@D)/smcroute.service $(TARGET_DIR)/usr/lib/systemd/system/smcroute.service
endef

define SMCROUTE_INSTALL_INIT_OPENRC
	sed 's,/usr/local/sbin,/usr/sbin,g' $(@D)/init/openrc/smcroute.initd >$(@D)/smcroute.initd
	$(INSTALL) -D -m 0755 $(@D)/smcroute.initd $(TARGET_DIR)/etc/init.d/smcroute
endef

define SMCROUTE_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(SMCROUTE_PKGDIR)/S50smcroute $(TARGET_DIR)/etc/init.d/S50smcroute
endef

define SMCROUTE_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_IP_MULTICAST)
	$(call KCONFIG_ENABLE_OPT,CONFIG_IP_MROUTE)
	$(call KCONFIG_ENABLE_OPT,CONFIG_IPV6_MROUTE)
endef

$(eval $(generic-package))
