#!/bin/sh
# SPDX-License-Identifier: ISC
# TAP of run.sh in, README.md out.
cat <<-'END'
	# On a FreeBSD kernel

	`make check-vm-freebsd KERNEL=boot/kernel/kernel ROOT=base UPDATE=1` boots that kernel in qemu and writes this
	page. What the kernel must have is said in `run.sh`. `facts.c` and `joins.c` are process 1 of the machine: they
	make interfaces whose wires they hold, make the kernel's calls for multicast routing by hand, and count packets.
	They are what `kernel/freebsd/` rests on. `daemon.c` and `life.c` run the daemon and its client there, `gap.c`
	has packets flow while one daemon follows another, `doctor.c` asks `smcroute-check doctor`, and `storm.c` does
	what no administrator does.

	Three things end a machine with a kernel of 15.0, and no router can help it: a 513th source of a group on an
	interface; an interface of IPv6 that goes and at once comes again, before the router has heard of it, as the
	kernel then looks at memory that is another interface's (`del_m6if_locked`); and a report of IGMP that is due
	on an interface that is only half made (`igmp_intr`). Second and third were seen in storms without a pause.

END
awk '
	/^# measured: kernel / { sub(/^# measured: /, ""); print "Last run: a " $0 ".\n\n| seen on it |\n|---|"; next }
	/^# measured: / { sub(/^# measured: /, ""); print "| measured: " $0 " |" }
	/^ok [0-9]+ - / { sub(/^ok [0-9]+ - /, ""); gsub(/\|/, "\\|"); print "| " $0 " |"; n++ }
	END { print "\n" n " checks." }
'
