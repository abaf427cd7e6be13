#!/bin/sh
# SPDX-License-Identifier: ISC
# TAP of run.sh in, README.md out.
cat <<-'END'
	# On a FreeBSD kernel

	`make check-vm-freebsd KERNEL=boot/kernel/kernel ROOT=base UPDATE=1` boots that kernel in qemu and writes this
	page. What the kernel must have is said in `run.sh`. `facts.c` and `joins.c` are process 1 of the machine: they
	make interfaces whose wires they hold, make the kernel's calls for multicast routing by hand, and count packets.
	They are what `kernel/freebsd/` rests on. `daemon.c` and `life.c` run the daemon and its client there.

END
awk '
	/^# measured: kernel / { sub(/^# measured: /, ""); print "Last run: a " $0 ".\n\n| seen on it |\n|---|"; next }
	/^# measured: / { sub(/^# measured: /, ""); print "| measured: " $0 " |" }
	/^ok [0-9]+ - / { sub(/^ok [0-9]+ - /, ""); gsub(/\|/, "\\|"); print "| " $0 " |"; n++ }
	END { print "\n" n " checks." }
'
