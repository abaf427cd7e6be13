#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# Reads the C of a tree and says where it breaks the rules of the house, which
# ARCHITECTURE.md explains.  One line a finding: CHECK FILE[:LINE]: what is wrong.
#
#	house.py [ROOT]
#
# It knows just enough of C: comments, strings, preprocessor lines, and what stands
# at file scope between two semicolons or braces.
import fnmatch
import os
import re
import sys

# Which files a room may include, besides its own: a folder (it ends in /) or one header.
ARROWS = {
    'smcroute.c': ['applets/'],
    'applets/': ['applets/control/', 'applets/doctor/', 'router/', 'conf/', 'kernel/kernel.h', 'lib/'],
    'applets/control/': ['router/', 'conf/', 'kernel/kernel.h', 'lib/'],
    'applets/doctor/': ['conf/', 'kernel/probe.h', 'kernel/kernel.h', 'lib/'],
    'router/': ['conf/', 'kernel/kernel.h', 'lib/'],
    'conf/': ['lib/'],
    'kernel/': ['lib/'],
    'kernel/OS/': ['kernel/', 'lib/'],
    'lib/': [],
    'lib/OS/': ['lib/'],
}
# Headers that one system has and POSIX does not.
OS_HEADER = re.compile(r'(linux|asm|netpacket|net/(?!if\.h)|netinet/(?!in\.h|tcp\.h)|netinet6)|'
                       r'sys/(capability|epoll|event|eventfd|inotify|prctl|signalfd|syscall|sysctl|timerfd)\.h')
SYSTEMS = re.compile(r'Linux|FreeBSD')
FUNCTION_LINES, FILE_LINES, COLUMNS = 60, 400, 120


class Source:
    """One file: what it includes, defines and declares."""

    def __init__(self, root, path):
        self.path, self.stem = path, path.rsplit('.', 1)[0]
        with open(os.path.join(root, path), encoding='utf-8') as f:
            self.text = f.read()
        self.includes = []      # (line, name, is it <of the system>)
        self.definitions = []   # (line, name, lines of a function or 0)
        self.declarations = []  # (line, name) of functions
        self.comments = []      # (line, text)
        self.scan(self.blank())

    def blank(self):
        """The text without comments, strings and preprocessor lines, each line at its place."""
        def blank(m):
            s = m.group(0)
            line = self.text.count('\n', 0, m.start()) + 1
            if s.startswith('/'):
                self.comments.append((line, s))
            if s.startswith('#'):
                inc = re.match(r'#\s*include\s*([<"])([^>"]+)', s)
                if inc:
                    self.includes.append((line, inc.group(2), inc.group(1) == '<'))
            filler = 'S' if s[0] in '"\'' else ' '
            return filler + '\n' * s.count('\n')
        return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^#(?:\\\n|/\*.*?\*/|[^\n])*',
                      blank, self.text, flags=re.S | re.M)

    def scan(self, code):
        words, depth, parens, line, start = [], 0, 0, 1, 0
        is_function = False
        for m in re.finditer(r'\n|\w+|[^\s\w]', code):
            w = m.group(0)
            if w == '\n':
                line += 1
            elif w == '{':
                if depth == 0 and parens == 0:
                    is_function, start = bool(words) and words[-1] == ')', line
                depth += 1
            elif w == '}':
                depth -= 1
                if depth == 0 and is_function:
                    self.definitions.append((start, self.function_name(words), line - start + 1))
                    words, is_function = [], False
                elif depth == 0:
                    words.append('{}')
            elif depth:
                continue
            elif w == ';' and parens == 0:
                self.statement(words, line)
                words = []
            else:
                parens += (w == '(') - (w == ')')
                words.append(w)

    @staticmethod
    def function_name(words):
        """The word before the first parenthesis that is not an attribute's."""
        depth = skip = 0
        for i, w in enumerate(words):
            if w == '(':
                if depth == 0 and words[i - 1] == '__attribute__':
                    skip = 1
                elif depth == 0 and not skip:
                    return words[i - 1]
                depth += 1
            elif w == ')':
                depth -= 1
                if depth == 0:
                    skip = 0
        return None

    def statement(self, words, line):
        """What ends with a semicolon at file scope: a prototype, a variable, a type."""
        if not words or words[0] in ('typedef', 'extern', '_Static_assert'):
            return
        head = words[:words.index('=')] if '=' in words else words
        name = self.function_name(head)
        if name and name != '_Static_assert' and '=' not in words and re.match(r'[a-z_]\w*$', name):
            self.declarations.append((line, name))
            return
        if 'static' not in words:
            return
        # One name a declarator: the last word before [ = , or the end.
        depth = 0
        for i, w in enumerate(words + [',']):
            depth += w in ('(', '[')
            depth -= w in (')', ']')
            if depth == 0 and w in (',', '=') or depth == 1 and w == '[':
                before = words[:i]
                if before and re.match(r'[a-zA-Z_]\w*$', before[-1]) and before[-1] not in ('struct', 'enum'):
                    self.definitions.append((line, before[-1], 0))
                if w == '=':
                    break


def room_of(path):
    parts = path.split('/')
    if len(parts) == 1:
        return path
    if parts[0] in ('kernel', 'lib') and len(parts) > 2:
        return parts[0] + '/OS/'
    return '/'.join(parts[:-1]) + '/'


class House:
    def __init__(self, root):
        self.root = root
        self.findings = []
        paths = ['smcroute.c'] if os.path.exists(os.path.join(root, 'smcroute.c')) else []
        for top in ('applets', 'router', 'conf', 'kernel', 'lib'):
            for folder, _, names in os.walk(os.path.join(root, top)):
                paths += [os.path.relpath(os.path.join(folder, n), root) for n in names if n.endswith(('.c', '.h'))]
        self.sources = {p: Source(root, p) for p in sorted(paths)}
        # Everything in the tree, and what of it is text of ours beside the program.
        self.tree = set()
        for folder, dirs, names in os.walk(root):
            dirs[:] = [d for d in dirs if not d.startswith('build') and d not in ('.git', '__pycache__')]
            self.tree.update(os.path.relpath(os.path.join(folder, n), root) for n in names)
        self.names_there = {os.path.basename(p) for p in self.tree}
        # Pages of benchmarks speak of the commit they were made of.
        self.papers = [p for p in sorted(self.tree) if p.endswith('.md') and not p.startswith('tests/bench/')]
        self.tests = [p for p in sorted(self.tree) if p in ('Makefile', '.ci/run', '.clang-tidy') or
                      p.startswith('tests/') and p.endswith(('.c', '.h', '.py', '.sh'))]

    def text(self, path):
        with open(os.path.join(self.root, path), encoding='utf-8') as f:
            return f.read()

    def bad(self, check, source, line, what):
        self.findings.append(f'{check} {source.path}{":" + str(line) if line else ""}: {what}')

    def each(self):
        return self.sources.values()

    def arrows(self):
        for s in self.each():
            room = room_of(s.path)
            if room not in ARROWS:
                self.bad('arrows', s, 0, 'no room of this house')
                continue
            own = os.path.dirname(s.path) + '/' if '/' in s.path else ''
            for line, name, system in s.includes:
                if system:
                    continue
                folder = os.path.dirname(name) + '/'
                if folder != own and name not in ARROWS[room] and folder not in ARROWS[room]:
                    self.bad('arrows', s, line, f'"{name}" is not an arrow of {room}')

    def os_headers(self):
        for s in self.each():
            if room_of(s.path).endswith('/OS/'):
                continue
            top = s.comments[0][1] if s.comments else ''
            for line, name, system in s.includes:
                if system and OS_HEADER.match(name) and not (s.path.startswith('lib/') and SYSTEMS.search(top)):
                    self.bad('os-headers', s, line, f'<{name}> is of one system')

    def circles(self):
        """Strongly connected nodes of the includes, a.c and a.h being one node (Tarjan)."""
        edges = {}
        for s in self.each():
            to = edges.setdefault(s.stem, set())
            to.update(n.rsplit('.', 1)[0] for _, n, system in s.includes if not system)
            to.discard(s.stem)
        index, low, stack, count = {}, {}, [], [0]

        def visit(v):
            index[v] = low[v] = count[0]
            count[0] += 1
            stack.append(v)
            for w in sorted(edges.get(v, ())):
                if w not in index:
                    visit(w)
                    low[v] = min(low[v], low[w])
                elif w in stack:
                    low[v] = min(low[v], index[w])
            if low[v] == index[v]:
                at = stack.index(v)
                circle = sorted(stack[at:])
                del stack[at:]
                if len(circle) > 1:
                    self.findings.append(f'circles {circle[0]}: includes itself through {", ".join(circle[1:])}')
        for v in sorted(edges):
            if v not in index:
                visit(v)

    def names(self):
        """No function or static has the name of another one; systems are siblings and share theirs."""
        places = {}
        for s in self.each():
            for line, name, _ in s.definitions:
                places.setdefault(name, {}).setdefault(s.path, line)
        for name, where in sorted(places.items()):
            systems = {p.split('/')[1] for p in where if room_of(p).endswith('/OS/')}
            if len(where) > 1 and not (len(systems) == len(where)):
                first = min(where)
                others = ', '.join(sorted(set(where) - {first}))
                self.bad('names', self.sources[first], where[first], f'{name} is also in {others}')

    def headers(self):
        """What a header declares is in the .c of its name, or in a file that the heading above names."""
        for s in self.each():
            if not s.path.endswith('.h'):
                continue
            headings = [(line, re.findall(r'[\w/]+\.c\b', text)) for line, text in s.comments if '----' in text]
            for line, name in s.declarations:
                places = [d.path for d in self.each() if d.path.endswith('.c')
                          and name in (n for _, n, _ in d.definitions)]
                named = [files for at, files in headings if at < line]
                if s.path in ('kernel/kernel.h', 'kernel/probe.h'):
                    good = named and any(p.endswith('/' + f) for p in places for f in named[-1])
                else:
                    # kernel/X.h and lib/X.h may be done by the folder of a system, in a file that a heading names too.
                    good = s.stem + '.c' in places or \
                        re.sub(r'^(kernel|lib)/(\w+)$', r'\1/linux/\2', s.stem) + '.c' in places or \
                        named and any(p.endswith('/' + f) for p in places for f in named[-1])
                if not good:
                    self.bad('headers', s, line, f'{name} is in {", ".join(places) or "no file"}')

    def probes(self):
        """The daemon does not include probe.h, by whatever way: its applets, the rooms it uses, and the
        files that do the work of kernel.h."""
        kernel = self.sources.get('kernel/kernel.h')
        verbs = {n for _, n in kernel.declarations} if kernel else set()
        for s in self.each():
            room = room_of(s.path)
            daemon = room in ('router/', 'conf/', 'lib/', 'applets/control/', 'kernel/') or \
                re.match(r'applets/(smcrouted|daemon|watch|reload|handover)\.', s.path) or \
                room == 'kernel/OS/' and any(n in verbs for _, n, _ in s.definitions)
            if not daemon or s.path.startswith('kernel/probe'):
                continue
            seen, todo = set(), [(s.path, [])]
            while todo:
                path, way = todo.pop()
                if path == 'kernel/probe.h':
                    self.bad('probes', s, 0, 'includes it' + ''.join(' by ' + w for w in way[1:]))
                    break
                if path in seen or path not in self.sources:
                    continue
                seen.add(path)
                todo += [(n, way + [path]) for _, n, system in self.sources[path].includes if not system]

    def engine(self):
        """The engine knows no client: not its commands, not what is shown."""
        for s in self.each():
            if not s.path.startswith('router/'):
                continue
            for at, text in enumerate(s.text.split('\n'), 1):
                m = re.search(r'\b(clients?|commands?|cmd_\w+|show(_\w+|s)?|smcroutectl)\b', text)
                if m:
                    self.bad('engine', s, at, f'speaks of {m.group(0)}')

    def lengths(self):
        for s in self.each():
            for line, name, lines in s.definitions:
                if lines > FUNCTION_LINES:
                    self.bad('lengths', s, line, f'{name} has {lines} lines')
            rows = s.text.split('\n')
            if len(rows) - 1 > FILE_LINES:
                self.bad('lengths', s, 0, f'{len(rows) - 1} lines')
        for path in [*self.sources, *self.tests]:
            for at, row in enumerate(self.text(path).split('\n'), 1):
                columns = len(row.expandtabs(8))
                if columns > COLUMNS:
                    self.findings.append(f'lengths {path}:{at}: {columns} columns')
                if row != row.rstrip():
                    self.findings.append(f'lengths {path}:{at}: blank at the end of the line')

    def is_there(self, name):
        """A file of the tree has this name: a path, the end of one, or a pattern of either.  Capitals as in
        test_X.c stand for anything, [ch] for one of them."""
        if name in self.tree or name in self.names_there:
            return True
        pattern = re.sub(r'(?<![A-Za-z])[A-Z]+(?![A-Za-z])', '*', name)
        return any(fnmatch.fnmatchcase(p, pattern) or fnmatch.fnmatchcase(p, '*/' + pattern) for p in self.tree)

    def cited(self):
        """A file of ours that a comment or a paper names is in the tree, and so is a function of a paper.  Files
        of Linux have a folder in front."""
        foreign = re.compile(r'^/|^(net|include|fs|drivers|sysdeps|sys/\w+|kernel/(?!linux/|freebsd/)\w+)/|'
                             r'^(linux|netinet\w*|sys|arpa)/\w+\.h|\b\w\.\w\.')
        named = re.compile(r'[\w/.*-]*[\w*](?:\.\[ch\]|\.(?:c|h|md|sh|py|scn|ok)\b(?!\w))')
        comments = [(s.path, line, text) for s in self.each() for line, text in s.comments]
        for path in self.tests:
            if path.endswith(('.c', '.h')):
                comments += [(path, line, text) for line, text in Source(self.root, path).comments]
            else:
                rows = enumerate(self.text(path).split('\n'), 1)
                comments += [(path, at, m.group(0)) for at, row in rows if (m := re.search(r'(?:^|\s)#.*', row))]
        papers = [(path, 1, self.text(path)) for path in self.papers]
        for path, line, text in comments + papers:
            for m in named.finditer(text):
                if not foreign.search(m.group(0)) and not self.is_there(m.group(0)):
                    at = line + text.count('\n', 0, m.start())
                    self.findings.append(f'cited {path}:{at}: {m.group(0)} is not in the tree')
        for path, line, text in comments:
            for m in re.finditer(r'\b(behaviour|house|scale|regressions2?|users)(:|\.md| section)', text):
                at = line + text.count('\n', 0, m.start())
                self.findings.append(f'cited {path}:{at}: "{m.group(0)}" is no paper of the tree')
        ours = {n for s in self.each() for _, n, _ in s.definitions} | \
            {n for s in self.each() for _, n in s.declarations}
        for path, _, text in papers:
            for m in re.finditer(r'`(\w+)\(\)`', text):
                if m.group(1) not in ours and m.group(1) not in ('main', 'exit'):
                    at = text.count('\n', 0, m.start()) + 1
                    self.findings.append(f'cited {path}:{at}: {m.group(0)} is no function of ours')

    def unit_tests(self):
        """tests/unit/test_X.c or test_X_subject.c is for X.c."""
        stems = {os.path.basename(p).rsplit('.', 1)[0].replace('-', '_') for p in self.sources}
        folder = os.path.join(self.root, 'tests/unit')
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.startswith('test_') and name.endswith('.c'):
                words = name[5:-2].split('_')
                if not any('_'.join(words[:n]) in stems for n in range(len(words), 0, -1)):
                    self.findings.append(f'unit-tests tests/unit/{name}: no source has this name')

    def check(self):
        for f in (self.arrows, self.os_headers, self.circles, self.names, self.headers, self.probes, self.engine,
                  self.lengths, self.cited, self.unit_tests):
            f()
        return self.findings


def main():
    for finding in House(sys.argv[1] if len(sys.argv) > 1 else '.').check():
        print(finding)


if __name__ == '__main__':
    main()
