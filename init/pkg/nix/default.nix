# SPDX-License-Identifier: ISC
# nix-build init/pkg/nix, or pkgs.callPackage of this file.
{ pkgs ? import <nixpkgs> { }, stdenv ? pkgs.stdenv, lib ? pkgs.lib }:
stdenv.mkDerivation {
  pname = "smcroute";
  version = "1.0";
  src = lib.cleanSource ../../..;

  # The paths of a system are outside of the store.
  makeFlags = [ "PREFIX=$(out)" "SYSCONFDIR=/etc" "RUNSTATEDIR=/run" ];
  enableParallelBuilding = true;

  postInstall = ''
    for unit in smcroute.service smcroute@.service; do
      install -D -m 644 init/$unit $out/lib/systemd/system/$unit
      substituteInPlace $out/lib/systemd/system/$unit --replace /usr/local/sbin $out/sbin \
        --replace /bin/ln ${pkgs.coreutils}/bin/ln --replace /bin/rm ${pkgs.coreutils}/bin/rm
    done
  '';

  meta = {
    description = "Static multicast router";
    license = lib.licenses.isc;
    platforms = lib.platforms.linux;
    mainProgram = "smcroutectl";
  };
}
