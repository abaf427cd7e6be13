#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What packagers ask of the Makefile: flags from the environment, the same bytes wherever it was
# built, names with blanks, an install that builds nothing, the tarball.  Prints TAP.
# The program is built here once more, small and quick, in a folder of its own, in which names have blanks.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
unset MAKEOVERRIDES B CC CPPFLAGS CFLAGS LDFLAGS SANITIZE
unset PREFIX SYSCONFDIR RUNSTATEDIR DESTDIR

not() { if "$@"; then return 1; fi; }
# Silent when both are the same.
same() { [ "$1" = "$2" ] || { printf '%s\nis not\n%s\n' "$1" "$2"; return 1; }; }

# copy FOLDER: what the program is built from, without git.
copy() {
	mkdir -p "$1/tests"
	cp -R examples init "$1"
	cp -R Makefile applets conf kernel lib man router smcroute.c smcroute.conf ./*.md AUTHORS LICENSE "$1"
	cp -R tests/tools "$1/tests"
	echo 9.9-test >"$1/VERSION"
}
# build FOLDER [WORD...]: into $dir/log what make says.
build() {
	where=$1
	shift
	make -C "$where" -j2 CFLAGS="-O0 -g" WITH_HOST=no RUNSTATEDIR="/run/my own" "$@" >"$dir/log" 2>&1 ||
		{ tail -n 20 "$dir/log"; return 1; }
}
# What an install as somebody else has: nothing of the environment of the build, no git that answers.
as_another() { env -i PATH="$dir/bin:$PATH" "$@"; }
# Which files there are, links as links.
tree() { (cd "$1" && find . ! -type d | sort); }

environment() {
	for goal in smcroute.o smcroute; do
		CC=some-cc CPPFLAGS=-DMY=1 CFLAGS='-O3 -g9' LDFLAGS=-Wl,--my PREFIX=/my make -n V=1 B="$dir/none" \
			"$dir/none/$goal" >"$dir/said" 2>&1 || { cat "$dir/said"; return 1; }
		grep -e '-o .*/'"$goal " "$dir/said" | grep '^some-cc ' >"$dir/line"
		case $goal in
		*.o) grep -e "-fPIE.* -DMY=1 -O3 -g9 " "$dir/line" ;;
		*) grep -e "-fPIE.* -O3 -g9 .*-z,now.* -Wl,--my" "$dir/line" ;;
		esac
	done
	PREFIX=/my make -n install | grep "'/my/sbin/smcroute'"
	make -n PREFIX=/other install | grep "'/other/sbin/smcroute'"
}
fortify_once() {
	CPPFLAGS=-D_FORTIFY_SOURCE=3 make -n V=1 B="$dir/none" "$dir/none/smcroute.o" >"$dir/said"
	not grep -e -D_FORTIFY_SOURCE=2 "$dir/said"
}
completion_alone() {
	build "$dir/two" build/completion/smcroutectl.bash build/completion/_smcroutectl
	not ls "$dir/two/build/smcroute"
	grep -q 'replace) ' "$dir/two/build/completion/smcroutectl.bash"
	grep -q 'replace:' "$dir/two/build/completion/_smcroutectl"
}
with_blanks() { build "$dir/a b" B="$dir/b u/x"; }
same_bytes() {
	build "$dir/two" build/smcroute.o build/applets/applet.o build/lib/addr.o build/router/learn.o
	for o in smcroute applets/applet lib/addr router/learn; do cmp "$dir/two/build/$o.o" "$dir/b u/x/$o.o"; done
	not grep "$dir" "$dir/b u/x/smcroute"
}
install_as_another() {
	rm "$dir/a b/VERSION"
	as_another make -C "$dir/a b" B="$dir/b u/x" install DESTDIR="$dir/d t" PREFIX=/usr >"$dir/log" 2>&1 ||
		{ cat "$dir/log"; return 1; }
	not grep -E '  (CC|LD|GEN) ' "$dir/log"
	cmp "$dir/b u/x/smcroute" "$dir/d t/usr/sbin/smcroute"
	same "$("$dir/d t/usr/sbin/smcroutectl" -v | head -n 1)" "$("$dir/b u/x/smcroute" smcroutectl -v | head -n 1)"
	"$dir/d t/usr/sbin/smcroute" -v | grep 'smcroute 9.9-test'
}
# All of them, readable for everybody whatever the umask of who built; programs stay programs.
folders_of_papers() {
	chmod -R go= "$dir/a b/init" "$dir/a b/examples"
	(umask 077 && as_another make -C "$dir/a b" B="$dir/b u/x" install DESTDIR="$dir/p t")
	for d in examples init; do
		same "$(tree "$dir/p t/usr/local/share/doc/smcroute/$d")" "$(tree "$d")"
		same "$(find "$dir/p t/usr/local/share/doc/smcroute/$d" ! -perm -444)" ""
	done
	[ -x "$dir/p t/usr/local/share/doc/smcroute/init/sysv/smcroute" ]
	[ ! -x "$dir/p t/usr/local/share/doc/smcroute/init/smcroute.service" ]
}
pages() {
	for page in man/*.[1-9]; do ls "$dir/d t/usr/share/man/man${page##*.}/${page##*/}"; done
	grep 'Pa /run/my\\ own/smcroute.pid' "$dir/d t/usr/share/man/man8/smcrouted.8"
	not grep /var/run "$dir/d t/usr/share/man"/*/*
	build "$dir/two" SYSCONFDIR=/opt/etc build/man/smcrouted.8
	grep 'Pa /opt/etc/smcroute.conf' "$dir/two/build/man/smcrouted.8"
	not grep ' /etc/smcroute' "$dir/two/build/man/smcrouted.8"
}
strip_and_uninstall() {
	echo mine >"$dir/d t/usr/share/mine"
	as_another make -C "$dir/a b" B="$dir/b u/x" install-strip DESTDIR="$dir/s t" >"$dir/log" 2>&1
	[ "$(wc -c <"$dir/s t/usr/local/sbin/smcroute")" -lt "$(wc -c <"$dir/b u/x/smcroute")" ]
	"$dir/s t/usr/local/sbin/smcroute" -v
	as_another make -C "$dir/a b" uninstall DESTDIR="$dir/d t" PREFIX=/usr
	same "$(tree "$dir/d t")" ./usr/share/mine
	same "$(find "$dir/d t" -name smcroute)" ""
}
cleaned() {
	make -C "$dir/a b" B="$dir/b u/x" distclean
	not ls "$dir/b u/x"
	same "$(cd "$dir/a b" && echo build*)" 'build*'
}
tarball() {
	git clone -q . "$dir/clone"
	for i in 1 2; do
		umask 0$((i * 3 - 1))2
		make -C "$dir/clone" dist VERSION=9.8
		mv "$dir/clone/smcroute-9.8.tar.gz" "$dir/$i.tar.gz"
		touch "$dir/clone/README.md"
	done
	cmp "$dir/1.tar.gz" "$dir/2.tar.gz"
	tar -xzf "$dir/1.tar.gz" -C "$dir"
	same "$(cat "$dir/smcroute-9.8/VERSION")" 9.8
	mkdir -p "$dir/smcroute-9.8/build/tests" "$dir/smcroute-9.8/tests/net/__pycache__"
	as_another make -C "$dir/smcroute-9.8" dist
	cmp "$dir/1.tar.gz" "$dir/smcroute-9.8/smcroute-9.8.tar.gz"
	make -C "$dir/smcroute-9.8" distclean
	rm "$dir/smcroute-9.8/VERSION"
	same "$(tree "$dir/smcroute-9.8")" "$(git ls-files | sed 's,^,./,' | sort)"
	same "$(tar -tvzf "$dir/1.tar.gz" | grep -v ' 0/0 ')" ""
}
one_release() {
	release=$(sed -n 's/^RELEASE *= //p' Makefile)
	grep -m 1 '^## ' CHANGES.md | grep -E "^## $release - [0-9]{4}-[0-9]{2}-[0-9]{2}\$"
	head -n 1 init/pkg/debian/changelog | grep "^smcrouted ($release-[0-9]*) "
}
# As a user without sudo, who has these programs alone, and those of /usr/sbin.
deps_with() {
	rm -rf "$dir/few"
	mkdir "$dir/few"
	printf '#!/bin/sh\necho 1000\n' >"$dir/few/id"
	for program in apt-get cc ip python3 unshare "$@"; do printf '#!/bin/sh\n' >"$dir/few/$program"; done
	chmod 755 "$dir/few"/*
	env -i PATH="$dir/few" /bin/sh tests/deps.sh 2>"$dir/said"
}
asks_for_needs_alone() {
	deps_with make
	grep 'tests are skipped without:.* shellcheck' "$dir/said"
	not deps_with
	grep 'please install: make$' "$dir/said"
}
says_help() {
	make help >"$dir/help"
	[ "$(wc -l <"$dir/help")" -le 24 ]
	for word in check install-strip uninstall static dist distclean PREFIX SYSCONFDIR CFLAGS; do
		grep -q "$word" "$dir/help" || { echo "no $word"; return 1; }
	done
	# What it names exists.
	for goal in $(sed -n 's/^make \([a-z-]*\).*/\1/p' "$dir/help"); do make -n "$goal" >"$dir/said"; done
}

mkdir "$dir/bin"
printf '#!/bin/sh\necho "fatal: detected dubious ownership" >&2\nexit 128\n' >"$dir/bin/git"
chmod 755 "$dir/bin/git"
copy "$dir/two"
copy "$dir/a b"
ok "CC, CPPFLAGS, CFLAGS, LDFLAGS and PREFIX of the environment" environment
ok "who asks for more checks of calls gets no warning" fortify_once
ok "completion without the program" completion_alone
ok "folders with blanks in their names" with_blanks
ok "two folders give the same bytes" same_bytes
ok "install as somebody else builds nothing, with the same version" install_as_another
ok "set-ups and service files are installed beside the papers" folders_of_papers
ok "manual pages have the folders of the build" pages
ok "install-strip is smaller; uninstall leaves nothing" strip_and_uninstall
ok "distclean leaves nothing" cleaned
if git rev-parse --git-dir >"$dir/out" 2>&1; then
	ok "the tarball is what is committed, the same bytes each time, also from itself without git" tarball
else
	skip "the tarball" "not in git, or without it"
fi
ok "all that name the release agree" one_release
ok "help" says_help
if [ -e /usr/sbin/sudo ] || [ -e /usr/sbin/make ] || ! [ -e /usr/include/linux/mroute6.h ]; then
	skip "deps.sh" "programs in /usr/sbin, or no headers of Linux"
else
	ok "deps.sh ends well when only wishes are missing" asks_for_needs_alone
fi
plan
