#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Shell completion of smcroutectl, made from its table of commands: names, aliases
# and the words behind them from `help`, options from `-h`.
#
#	completion.sh PROGRAM bash|zsh	PROGRAM is smcroute, the result on standard output
set -eu

ctl() { "$program" smcroutectl "$@"; }
program=$1
options=$(ctl -h | sed -n 's/^  -\([a-z]\).*/-\1/p')
paths=$(ctl -h | sed -n 's/^  -\([a-z]\) FILE.*/-\1/p')
valued=$(ctl -h | sed -n 's/^  -\([a-z]\) [A-Z].*/-\1/p')
commands=$(ctl help | sed -n 's/^\([a-z]*\).*/\1/p')
test -n "$options" && test -n "$commands"

# Of one command: all its names, its one line of help, and what may follow.
names() { echo "$1 $(ctl help "$1" | sed -n 's/^  also called: //p')" | sed 's/ *$//'; }
about() { ctl help "$1" | sed -n '2s/^  //p'; }
words() { ctl help "$1" | sed -n "1s/^Usage: smcroutectl $1 *//p"; }

# join SEPARATOR WORD...
join() {
	sep=$1 out=
	shift
	for w; do out=$out${out:+$sep}$w; done
	echo "$out"
}

all=
for c in $commands; do all="$all${all:+ }$(names "$c")"; done

# rules FUNCTION: calls FUNCTION NAMES WHAT with | between the names; WHAT is "iif", "iif oifs" or a list.
rules() {
	for c in $commands; do
		# shellcheck disable=SC2046
		n=$(join '|' $(names "$c"))
		w=$(words "$c")
		case $w in
		IIF*OIF*) "$1" "$n" 'iif oifs' ;;
		IIF*) "$1" "$n" iif ;;
		\[COMMAND\]) "$1" "$n" "$all" ;;
		*\|*) "$1" "$n" "$(echo "$w" | tr -d '[]|' | tr -s ' ')" ;;
		esac
	done
}

bash_rule() {
	case $2 in
	'iif oifs') printf '\t\t%s) ((n == 1)) || ifaces=1 ;;\n' "$1" ;;
	iif) printf '\t\t%s) ((n)) || ifaces=1 ;;\n' "$1" ;;
	*) printf "\t\t%s) ((n)) || words='%s' ;;\n" "$1" "$2" ;;
	esac
}

# shellcheck disable=SC2086
bash_file() {
	cat <<EOF
# bash completion for smcroutectl, made from its table of commands.
_smcroutectl()
{
	local cur=\${COMP_WORDS[COMP_CWORD]} cmd='' n=0 i words='' ifaces=''

	COMPREPLY=()
	case \${COMP_WORDS[COMP_CWORD-1]} in
	$(join '|' $paths)) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "\$cur") ;;&
	$(join '|' $valued)) return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case \${COMP_WORDS[i]} in
		$(join '|' $valued)) ((i++)) ;;
		-*) ;;
		*) if [[ \$cmd ]]; then ((n++)); else cmd=\${COMP_WORDS[i]}; fi ;;
		esac
	done
	if [[ \$cur == -* ]]; then
		words='$(join ' ' $options)'
	else
		case \$cmd in
		'') words='$all' ;;
$(rules bash_rule)
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "\$words" -- "\$cur")
	if [[ \$ifaces ]]; then
		for i in /sys/class/net/*/; do
			i=\${i%/}
			i=\${i##*/}
			[[ \$i == "\$cur"* ]] && COMPREPLY+=("\$(printf %q "\$i")")
		done
	fi
}
complete -F _smcroutectl smcroutectl
EOF
}

zsh_rule() {
	case $2 in
	'iif oifs') printf '\t\t(%s):(2|<4->)) _smcroutectl_ifaces ;;\n' "$1" ;;
	iif) printf '\t\t(%s):2) _smcroutectl_ifaces ;;\n' "$1" ;;
	"$all") printf '\t\t(%s):2) _describe command commands ;;\n' "$1" ;;
	*) printf '\t\t(%s):2) compadd %s ;;\n' "$1" "$2" ;;
	esac
}

zsh_commands() {
	for c in $commands; do
		for n in $(names "$c"); do
			printf "\t\t'%s:%s'\n" "$n" "$(about "$c" | sed "s/'/'\\\\''/g; s/:/\\\\:/g")"
		done
	done
}

zsh_options() {
	ctl -h | sed -n "s/'/'\\\\''/g; s/[]:[]/\\\\&/g
		s/^  \(-[a-z]\) FILE *\(.*\)/\t\t'\1[\2]:FILE:_files' \\\\/p
		s/^  \(-[a-z]\) \([A-Z][A-Z]*\) *\(.*\)/\t\t'\1[\3]:\2: ' \\\\/p
		s/^  \(-[a-z]\)   *\([^ ].*\)/\t\t'\1[\2]' \\\\/p"
}

zsh_file() {
	cat <<EOF
#compdef smcroutectl
# Made from the table of commands of smcroutectl.
_smcroutectl_ifaces() {
	local -a ifaces=(/sys/class/net/*(N-/:t))
	compadd -a ifaces
}

_smcroutectl() {
	local curcontext=\$curcontext state line
	local -A opt_args
	local -a commands=(
$(zsh_commands)
	)

	_arguments -C -S \\
$(zsh_options)
		'1: :->command' '*:: :->words'
	case \$state in
	command) _describe command commands ;;
	words)
		case \$words[1]:\$CURRENT in
$(rules zsh_rule)
		esac ;;
	esac
}
_smcroutectl "\$@"
EOF
}

"${2}_file"
