# SPDX-License-Identifier: ISC
#
# show graph, as Graphviz reads it.
import shutil
import xml.etree.ElementTree as ElementTree

from cases import case, main
from lab import Skip, check, same

STRANGE = ['q"u\\o', "a&lt;b", "<b>x", "\\N\\", "caf\u00e9", "->", "x;{[|"]
CONF = "".join(f"mroute from a1 source 10.1.0.{i} group 225.1.1.1 to {name}\n" for i, name in enumerate(STRANGE, 1))


@case("a picture: interfaces, edges, what waits and what stops, names as they are")
def picture(lab):
    if not shutil.which("dot"):
        raise Skip("no dot of Graphviz here")
    d = lab.daemon(CONF + "mroute from a1 group 225.3.3.3 to a2 a3\nmroute from a1 source fd00:1::1 group ff2e::1\n")
    lab.passes("a1", "10.1.0.9", "225.3.3.3", "a2", "a3", n=21)
    rc, out, err = lab.run("dot", "-Tsvg", stdin=d.show("-d", "show", "graph"))
    same((rc, err), (0, ""), "dot")
    nodes, edges = [], []
    for g in ElementTree.fromstring(out).iter("{http://www.w3.org/2000/svg}g"):
        text = [t.text for t in g.iter("{http://www.w3.org/2000/svg}text")]
        dashed = "stroke-dasharray" in ElementTree.tostring(g, "unicode")
        if g.get("class") == "node":
            nodes += text
        elif g.get("class") == "edge":
            edges.append((*(t for t in text if not t.startswith("239.")), dashed))
    same(sorted(nodes), sorted([*STRANGE, "a1", "a2", "a3", "a4", "stop"]), "nodes")
    check(edges.count(("(*, 225.3.3.3)", "21 packets", False)) == 2, f"two edges of a rule: {edges}")
    check(("(fd00:1::1, ff2e::1)", "0 packets", False) in edges, f"an edge to stop: {edges}")
    for i, name in enumerate(STRANGE, 1):
        edge = (f"(10.1.0.{i}, 225.1.1.1)", "0 packets", f"{name}: no such interface", True)
        check(edge in edges, f"no {edge} in {edges}")
    same(d.show("-j", "show", "graph"), d.show("show", "graph"), "-j")


if __name__ == "__main__":
    main()
