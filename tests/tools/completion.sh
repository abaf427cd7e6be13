#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Shell completion of smcroutectl, smcrouted and smcroute-check, made from their source: the
# programs need not run here.  Commands, aliases and the words behind them are those of the
# table of commands, options those of the texts that -h prints.
#
#	completion.sh bash|zsh COMPILER [FLAG...]	the result on standard output
set -eu

shell=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# What the preprocessor makes of a file in one line, with strings that follow each other as one.
for f in smcrouted smcroutectl smcroute-check control/command; do
	"$@" -DVERSION='""' -E -P "applets/$f.c" | tr '\n\t' '  ' |
		sed 's/\([^\\]\)" *"/\1/g' >"$scratch/$(basename "$f")"
done

# What an applet prints of itself, among its other strings.
usage() { awk '{ gsub(/"|\\n/, "\n"); print }' "$scratch/$1"; }
# The rows of the table of commands, and of the row of a command a field.
rows() {
	awk '{ sub(/.*struct command commands\[\]/, ""); gsub(/\.name = /, "\n.name = "); print }' "$scratch/command"
}
field() { rows | sed -n "/^\.name = \"$1\"/s/.*\.$2 = \"\([^\"]*\)\".*/\1/p"; }

# Options of an applet: all, those with a value, and those whose value is a file.
options() { usage "$1" | sed -n 's/^  -\([A-Za-z]\) .*/-\1/p'; }
valued() { usage "$1" | sed -n 's/^  -\([A-Za-z]\) [A-Z].*/-\1/p'; }
paths() { usage "$1" | sed -n 's/^  -\([A-Za-z]\) FILE .*/-\1/p'; }

levels=$(usage smcrouted | sed -n 's/^  -l LVL *\(.*\), default.*/\1/p' | sed 's/,//g; s/ or / /')
checks=$(usage smcroute-check | sed -n 's/^ *smcroute-check \[[^]]*\] \([a-z][a-z]*\) .*/\1/p')
commands=$(rows | sed -n 's/^\.name = "\([^"]*\)".*/\1/p')
for found in "$levels" "$checks" "$commands" "$(valued smcroutectl)" "$(paths smcrouted)"; do test -n "$found"; done

# Of one command: all its names, its one line of help, and what may follow.
names() { echo "$1 $(field "$1" aliases)" | sed 's/ *$//'; }
about() { field "$1" help; }
words() { field "$1" usage; }

# join SEPARATOR WORD...
join() {
	sep=$1 out=
	shift
	for w; do out=$out${out:+$sep}$w; done
	echo "$out"
}

all=
for c in $commands; do all="$all${all:+ }$(names "$c")"; done

# rules FUNCTION: calls FUNCTION NAMES WHAT with | between the names; WHAT is "mroute" or "mgroup" (words of rules that
# are there), "iif oifs", "iif" or a list.
rules() {
	for c in $commands; do
		# shellcheck disable=SC2046
		n=$(join '|' $(names "$c"))
		w=$(words "$c")
		case $c:$w in
		remove:*) "$1" "$n" mroute ;;
		leave:*) "$1" "$n" mgroup ;;
		*:IIF*OIF*) "$1" "$n" 'iif oifs' ;;
		*:IIF*) "$1" "$n" iif ;;
		*:\[COMMAND\]) "$1" "$n" "$all" ;;
		*:*\|*) "$1" "$n" "$(echo "$w" | tr -d '[]|' | tr -s ' ')" ;;
		esac
	done
}

# For awk, which gets a directive and the words of a rule that are typed already: reads a configuration and prints what
# may come next.
next_words() {
	cat <<'EOF'
	BEGIN {
		directive = ARGV[1] ""
		n = ARGC - 2
		for (i = 0; i < n; i++) typed[i] = ARGV[i + 2] ""
		for (i = 1; i < ARGC; i++) ARGV[i] = ""
	}
	function tell(word) { if (!told[word]++) print word }
	$1 == directive {
		k = 1
		word[0] = $3
		at = 4
		if ($at == "source") { word[k++] = $(at + 1); at += 2 }
		word[k++] = $(at + 1)
		for (j = 0; j < n && j < k; j++) if (typed[j] != word[j] "") next
		if (n < k) { tell(word[n]); next }
		for (at += 2; at <= NF && $at != "to"; at++) ;
		for (at++; at <= NF; at++) {
			for (j = k; j < n && typed[j] != $at ""; j++) ;
			if (j >= n) tell($at)
		}
	}
EOF
}

bash_rule() {
	case $2 in
	mroute) printf '\t%s) _smcroute_rules mroute || ((n == 1)) || _smcroute_ifaces ;;\n' "$1" ;;
	mgroup) printf '\t%s) _smcroute_rules mgroup || ((n)) || _smcroute_ifaces ;;\n' "$1" ;;
	'iif oifs') printf '\t%s) ((n == 1)) || _smcroute_ifaces ;;\n' "$1" ;;
	iif) printf '\t%s) ((n)) || _smcroute_ifaces ;;\n' "$1" ;;
	*) printf "\t%s) ((n)) || _smcroute_among '%s' ;;\n" "$1" "$2" ;;
	esac
}

# shellcheck disable=SC2046
bash_options() {
	cat <<EOF
	_smcroute_begin "\$1" '$(join ' ' $(valued "$1"))' '$(join ' ' $(paths "$1"))' || return
	if [[ \$cur == -* ]]; then
		_smcroute_among '$(join ' ' $(options "$1"))'
		return
	fi
EOF
}

# shellcheck disable=SC2086
bash_file() {
	cat <<EOF
# bash completion for smcroutectl, smcrouted and smcroute-check, made from what they say of themselves.

# Offers one more word.
_smcroute_offer()
{
	[[ \$1 == "\$cur"* ]] && COMPREPLY+=("\$(printf %q "\$1")")
}

_smcroute_among()
{
	mapfile -t COMPREPLY < <(compgen -W "\$1" -- "\$cur")
}

_smcroute_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "\$cur")
}

_smcroute_ifaces()
{
	local i

	for i in /sys/class/net/*/; do
		i=\${i%/}
		_smcroute_offer "\${i##*/}"
	done
}

# Offers what may come next of the rules that a daemon has; false when there is nothing.
_smcroute_rules()
{
	local word

	while IFS= read -r word; do
		_smcroute_offer "\$word"
	done < <(timeout 1 "\$client" "\${place[@]}" show config 2>/dev/null | awk '
$(next_words)
	' "\$1" "\${args[@]}")
	((\${#COMPREPLY[@]}))
}

# Parts the line, not at colons: cur is the word at the cursor, args are those before it that are neither options nor
# their values.  False when the word is the value of an option, which is offered then.
_smcroute_begin()
{
	local line=\${COMP_LINE:0:COMP_POINT} i words=("\${COMP_WORDS[@]:0:COMP_CWORD+1}")

	# Backslashes of the line are none of the words.
	# shellcheck disable=SC2162
	[[ \$line ]] && read -a words <<<"\$line"
	[[ \$line == *[[:blank:]] ]] && words+=('')
	COMPREPLY=() args=() place=() client=\${1:-smcroutectl}
	cur=\${words[-1]}
	for ((i = 1; i < \${#words[@]} - 1; i++)); do
		if [[ " \$2 " != *" \${words[i]} "* ]]; then
			[[ \${words[i]} == -* ]] || args+=("\${words[i]}")
			continue
		fi
		[[ \${words[i]} == -[iu] ]] && place+=("\${words[i]}" "\${words[i + 1]}")
		((++i < \${#words[@]} - 1)) && continue
		case " \$3 " in *" \${words[i - 1]} "*) _smcroute_files ;; esac
		case \${words[i - 1]} in -l) _smcroute_among '$levels' ;; esac
		return 1
	done
	return 0
}

# What is offered takes the place of what is behind the last colon alone.
_smcroute_end()
{
	local i colon=\${cur%"\${cur##*:}"}

	[[ \$colon && \$COMP_WORDBREAKS == *:* ]] || return
	for i in "\${!COMPREPLY[@]}"; do
		COMPREPLY[i]=\${COMPREPLY[i]#"\$colon"}
	done
}

_smcroutectl()
{
	local cur args place client cmd n

$(bash_options smcroutectl)
	cmd=\${args[0]-} args=("\${args[@]:1}") n=\${#args[@]}
	case \$cmd in
	'') _smcroute_among '$all' ;;
$(rules bash_rule)
	esac
	_smcroute_end
}

_smcrouted()
{
	local cur args place client

$(bash_options smcrouted)
}

_smcroute_check()
{
	local cur args place client

$(bash_options smcroute-check)
	case \${#args[@]}:\${args[0]-} in
	0:)
		_smcroute_files
		mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -W '$(join ' ' $checks)' -- "\$cur")
		;;
	1:explain) _smcroute_ifaces ;;
	[23]:explain | 1:doctor) ;;
	*) _smcroute_files ;;
	esac
}

complete -F _smcroutectl smcroutectl
complete -F _smcrouted smcrouted
complete -F _smcroute_check smcroute-check
EOF
}

zsh_rule() {
	case $2 in
	mroute) printf '\t\t(%s):(2|<4->)) _smcroute_rules mroute || _smcroute_ifaces ;;\n' "$1"
		printf '\t\t(%s):3) _smcroute_rules mroute ;;\n' "$1" ;;
	mgroup) printf '\t\t(%s):2) _smcroute_rules mgroup || _smcroute_ifaces ;;\n' "$1"
		printf '\t\t(%s):*) _smcroute_rules mgroup ;;\n' "$1" ;;
	'iif oifs') printf '\t\t(%s):(2|<4->)) _smcroute_ifaces ;;\n' "$1" ;;
	iif) printf '\t\t(%s):2) _smcroute_ifaces ;;\n' "$1" ;;
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
	usage "$1" | sed "s/'/'\\\\''/g; s/[]:[]/\\\\&/g" | sed -n "
		s/^  \(-l\) LVL *\(.*\)/\t\t'\1[\2]:LVL:($levels)' \\\\/p; t
		s/^  \(-[A-Za-z]\) FILE *\(.*\)/\t\t'\1[\2]:FILE:_files' \\\\/p; t
		s/^  \(-[A-Za-z]\) \([A-Z][^ ]*\) *\(.*\)/\t\t'\1[\3]:\2: ' \\\\/p; t
		s/^  \(-[A-Za-z]\)   *\([^ ].*\)/\t\t'\1[\2]' \\\\/p"
}

# shellcheck disable=SC2086
zsh_file() {
	cat <<EOF
#compdef smcroutectl smcrouted smcroute-check
# Made from what they say of themselves.
_smcroute_ifaces() {
	local -a ifaces=(/sys/class/net/*(N-/:t))
	compadd -a ifaces
}

# Offers what may come next of the rules that a daemon has; false when there is nothing.
_smcroute_rules() {
	local -a place next
	local option
	for option in -i -u; do
		[[ -n \$opt_args[\$option] ]] && place+=(\$option \${(Q)opt_args[\$option]})
	done
	next=(\${(f)"\$(timeout 1 \$client \$place show config 2>/dev/null | awk '
$(next_words)
	' \$1 \${(Q)words[2,CURRENT-1]})"})
	((\$#next)) && compadd -a next
}

_smcroute_ctl() {
	local client=\${(Q)words[1]}
	local -a commands=(
$(zsh_commands)
	)

	_arguments -C -S \\
$(zsh_options smcroutectl)
		'1: :->command' '*:: :->words'
	case \$state in
	command) _describe command commands ;;
	words)
		case \$words[1]:\$CURRENT in
$(rules zsh_rule)
		esac ;;
	esac
}

_smcroute_daemon() {
	_arguments -S \\
$(zsh_options smcrouted)
		'*: : '
}

_smcroute_check() {
	_arguments -C -S \\
$(zsh_options smcroute-check)
		'1: :->first' '*:: :->words'
	case \$state in
	first)
		compadd $(join ' ' $checks)
		_files ;;
	words)
		case \$words[1]:\$CURRENT in
		explain:2) _smcroute_ifaces ;;
		explain:<3-4> | doctor:2) ;;
		*) _files ;;
		esac ;;
	esac
}

local curcontext=\$curcontext state line
local -A opt_args
case \$service in
smcrouted) _smcroute_daemon "\$@" ;;
smcroute-check) _smcroute_check "\$@" ;;
*) _smcroute_ctl "\$@" ;;
esac
EOF
}

"${shell}_file"
