#!/bin/sh
# SPDX-License-Identifier: ISC
#
#	unshare --mount --pid --fork ... boot.sh ROOT DIR CGROUP INIT [ARG...]
#
# The init of a Debian root as process 1, in namespaces that have been made for it: ROOT below DIR/upper, in which
# everything is written.  What it can do to the machine is what the kernel lets root do there: so /proc/sys and /sys
# are read-only (systemd sets fs.protected_*), /dev has harmless devices alone, and CGROUP is a group of its own.
set -e
root=$1 dir=$2 cgroup=$3
shift 3
mount --make-rprivate /
mkdir -p "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cd "$dir/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs sys/fs/cgroup
# systemd from 258 on knows version 2 of control groups alone; what the machine has beside it is of no use there.
shared=$(find "$root/usr/lib" -name 'libsystemd-shared-*.so' | sed -n 's/.*-shared-\([0-9]*\).*/\1/p' | tail -n 1)
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
	mount --bind "$cgroup" sys/fs/cgroup
elif [ "${shared:-0}" -ge 258 ]; then
	mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
	mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
	: >"dev/$name"
	mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm old
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . old
umount -l /old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb container=lxc "$@"
