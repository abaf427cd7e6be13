# SPDX-License-Identifier: ISC
# A module for NixOS: imports = [ ./smcroute.nix ]; services.smcroute = { enable = true; config = "..."; };
{ config, lib, pkgs, ... }:
let
  cfg = config.services.smcroute;
  file = pkgs.writeText "smcroute.conf" cfg.config;
in
{
  options.services.smcroute = {
    enable = lib.mkEnableOption "the static multicast router";
    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ../pkg/nix/default.nix { };
      description = "The package to run.";
    };
    config = lib.mkOption {
      type = lib.types.lines;
      default = "";
      example = "mroute from eth0 group 239.1.0.0/16 to eth1";
      description = "Rules, see smcroute.conf(5).";
    };
    extraOptions = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "-l" "info" ];
      description = "More options of smcrouted(8).";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc."smcroute.conf".source = file;
    # The unit that the package brings, with all its hardening.
    systemd.packages = [ cfg.package ];
    systemd.services.smcroute = {
      wantedBy = [ "multi-user.target" ];
      # Rules that change are a reload, in which no packet is lost.
      reloadTriggers = [ file ];
      environment.SMCROUTED_OPTS = lib.escapeShellArgs cfg.extraOptions;
    };
  };
}
