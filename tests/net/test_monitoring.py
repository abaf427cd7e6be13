# SPDX-License-Identifier: ISC
#
# examples/monitoring: what Prometheus is given, its alerts, each made to fire by what a router told while packets
# flowed or did not, and the dashboard.  promtool (Debian's package prometheus) judges where it is.
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import openmetrics
from cases import case, main
from examples import EXAMPLES, blocks
from lab import Daemon, Skip, check, child_setup, note, same, wait_until
from sick import path

FOLDER = os.path.join(EXAMPLES, "monitoring")
SCRIPT = os.path.join(FOLDER, "smcroute-metrics")
STEP = 60		# seconds from one scrape to the next, in the time of the rules
SAMPLE = re.compile(rf"({openmetrics.NAME})(?:\{{(.*)\}})? ([0-9.]+)")


def read(name):
    with open(os.path.join(FOLDER, name)) as f:
        return f.read()


def metrics(lab, *options):
    p = subprocess.run(["sh", SCRIPT, *options], env=path(lab), capture_output=True, text=True, timeout=60)
    same((p.returncode, p.stderr), (0, ""), "exit status and errors")
    return p.stdout


def promtool(*words, stdin=None):
    if not shutil.which("promtool"):
        raise Skip("no promtool here")
    p = subprocess.run(["promtool", *words], input=stdin, capture_output=True, text=True, timeout=120)
    check(p.returncode == 0, lambda: f"promtool {words}: {p.stdout}{p.stderr}")
    return p.stdout


def known_daemon(lab, conf, name="smcroute", *options):
    """One that its client finds by its name."""
    return Daemon(lab, conf, ("-u", f"/run/{name}.sock", *options), name=name)


def samples(text):
    """{series: value}"""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            m = SAMPLE.fullmatch(line)
            check(m, f"no sample: {line}")
            check(line.rpartition(" ")[0] not in found, f"twice: {line}")
            found[line.rpartition(" ")[0]] = float(m[3])
    return found


@case("the text is that of show metrics, with types for counters and labels where they are asked for")
def text_format(lab):
    d = known_daemon(lab, "mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\n"
                     "mroute from a1 group 225.1.0.0/16 to a2\n")
    lab.wait(lab.send("a1", "10.1.0.9", "225.1.1.1"), "a2")
    d.sock = "/run/smcroute.sock"
    plain, labelled = metrics(lab), metrics(lab, "-l", 'network="a"')
    wanted = openmetrics.parse(d.show("show", "metrics"))
    got, marked = samples(plain), samples(labelled)
    same(got.pop("smcroute_up"), 1, "smcroute_up")
    same(len(got), len(wanted), "samples")
    same(len(marked), len(wanted) + 1, "samples with a label")
    check(all('{network="a"' in series for series in marked), "a sample without the label")
    same({s.replace('network="a",', "").replace('{network="a"}', "") for s in marked} - {"smcroute_up"}, set(got),
         "series")
    typed = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", plain))
    told = re.findall(r"(?m)^# HELP (\S+) .", plain)
    same(sorted(typed), sorted(told), "HELP and TYPE")
    for series in got:
        name = series.split("{")[0]
        same(typed.get(name), "counter" if name.endswith("_total") else "gauge", name)
    promtool("check", "metrics", stdin=plain)
    promtool("check", "metrics", stdin=labelled)


@case("a file is replaced as a whole; without a daemon it says so")
def textfile(lab):
    d = known_daemon(lab, "mroute from a1 group 225.1.0.0/16 to a2\n")
    line, = [b for b in blocks("examples/monitoring/README.md", "A file for") if b.startswith("* * * * *")]
    unit = re.search(r"ExecStart=/usr/local/bin/(.*)", read("smcroute-textfile.service"))[1]
    same(line.strip(), "* * * * * root " + unit, "cron and systemd")
    file = lab.path("smcroute.prom")
    options = [o.replace("/var/lib/prometheus/node-exporter/smcroute.prom", file) for o in unit.split()[1:]]
    metrics(lab, *options)
    with open(file) as f:
        check("smcroute_rules 1\n" in f.read(), "no rules in the file")
    same(os.stat(file).st_mode & 0o777, 0o644, "mode")
    same(d.stop(), 0, "exit status")
    metrics(lab, *options)
    with open(file) as f:
        text = f.read()
    same(samples(text), {"smcroute_up": 0}, "without a daemon")
    same([n for n in os.listdir(lab.dir) if "prom" in n], ["smcroute.prom"], "files")


@case("a request of HTTP is answered on the socket that systemd accepted")
def http(lab):
    known_daemon(lab, "mroute from a1 group 225.1.0.0/16 to a2\n")
    unit = read("smcroute-metrics@.service")
    words = re.search(r"ExecStart=/usr/local/bin/smcroute-metrics (.*)", unit)[1].split()
    listens = read("smcroute-metrics.socket")
    check("StandardInput=socket\nStandardOutput=socket\n" in unit and "Accept=yes" in listens, unit)
    same(re.search(r"ListenStream=(\S+)", listens)[1],
         re.search(r'targets: \["(\S+)"\]', read("prometheus.yml"))[1], "where Prometheus asks")
    for request in (b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", b"GET / HTTP/1.0\n\n"):
        ours, its = socket.socketpair()
        with ours, subprocess.Popen(["sh", SCRIPT, *words], stdin=its, stdout=its, env=path(lab)) as p:
            its.close()
            ours.sendall(request)
            ours.settimeout(60)
            answer = b""
            while more := ours.recv(65536):
                answer += more
            same(p.wait(60), 0, "exit status")
        head, _, body = answer.decode().partition("\r\n\r\n")
        check(head.startswith("HTTP/1.0 200 OK\r\n") and "text/plain; version=0.0.4" in head, head)
        same(samples(body)["smcroute_up"], 1, "smcroute_up")


class Run:
    """Scrapes of two daemons, one after the other, as if a step lay between two."""

    def __init__(self, lab):
        self.lab, self.texts, self.ends = lab, [], []

    def scrape(self, *before):
        """What is done first, then what the daemons tell.  Times are told to a tenth of a second."""
        wait_until(lambda: not self.ends or time.time() > self.ends[-1] + 0.3, "a moment to go by")
        for act in before:
            act()
        self.texts.append([metrics(self.lab, "-i", f"smcroute-{n}", "-l", f'network="{n}"') for n in "ab"])
        self.ends.append(time.time())

    def moment(self, when):
        """A time of day as one of the rules' time, in which the first scrape is at 0."""
        return STEP * next((i for i, end in enumerate(self.ends) if end >= when), len(self.ends))

    def series(self):
        """input_series of a test of rules."""
        scrapes = [{k: v for t in texts for k, v in samples(t).items()} for texts in self.texts]
        found = []
        for name in dict.fromkeys(name for s in scrapes for name in s):
            values = [s.get(name) for s in scrapes]
            if "_timestamp_seconds" in name:
                values = [v and self.moment(v) for v in values]
            found.append({"series": name, "values": " ".join("_" if v is None else f"{v:.0f}" for v in values)})
        return found


@case("each alert fires, and none before there is a reason")
def alerts(lab):
    conf = "mroute from {0} source {1} group 239.50.0.1 to a3\nmroute from {0} group 239.60.0.0/16 to a3\n"
    if subprocess.run(["ip", "mrule", "add", "iif", "a2", "lookup", "100"], check=False).returncode:
        raise Skip("this kernel has one table only")
    lab.links("a5", "a6")
    known_daemon(lab, conf.format("a1", "10.1.0.5") + "mroute from a1 group 239.51.0.1 to a6\n", "smcroute-a",
                 "-M", "2", "-c", "0")
    known_daemon(lab, conf.format("a2", "10.2.0.5").replace("a3", "a4"), "smcroute-b", "-t", "100")
    def feed(*which):
        for iface, source, out in which:
            lab.wait(lab.send(iface, source, "239.50.0.1", 10), out)
    a, b = ("a1", "10.1.0.5", "a3"), ("a2", "10.2.0.5", "a4")
    def crowd():
        """As many sources as there may be, and one more."""
        for i, told in enumerate((r"learned_total\{.*\} 1\n", r"learned_total\{.*\} 2\n",
                                  r"(refused|evicted)_total\{.*\} [1-9]")):
            lab.send("a1", f"10.1.1.{i + 1}", "239.60.0.1", 3)
            wait_until(lambda: re.search(told, metrics(lab, "-i", "smcroute-a", "-l", 'x="y"')), told)
    run = Run(lab)
    for _ in range(5):
        run.scrape(lambda: feed(a, b))
    run.scrape(lambda: feed(a), crowd, lambda: lab.ip("link", "del", "a6"))
    for _ in range(4):
        run.scrape(lambda: feed(a))
    for d in lab.procs:
        d.stop()
    for _ in range(3):
        run.scrape()
    at = {"healthy": 4, "refused": 5, "faults": 9, "down": 12}
    firing = {"SmcrouteDown": ("down", [{"network": n} for n in "ab"]),
              "FlowSilent": ("faults", [{"network": "b", "group": "239.50.0.1", "source": "10.2.0.5", "iif": "a2"}]),
              "FeedsDiffer": ("faults", [{"group": "239.50.0.1"}]),
              "SourcesRefused": ("refused", [{"network": "a"}]),
              "RuleWaiting": ("faults", [{"network": "a"}])}
    notes = {name: dict(re.findall(r"(?m)^          (\w+): \"?(.*?)\"?$", body)) for name, body in
             re.findall(r"(?ms)- alert: (\w+)\n(.*?)(?=- alert|\Z)", read("alerts.yml"))}
    same(sorted(notes), sorted(firing), "alerts of alerts.yml and of this test")
    same(sorted(notes), sorted(re.findall(r"(?m)^\| `(\w+)` \|", read("README.md"))), "alerts of the paper")
    def filled(text, labels):
        return re.sub(r"{{ \$labels\.(\w+) }}", lambda m: labels.get(m[1], ""), text).replace("{{ $value }}", "1")
    tests = [{"eval_time": f"{at['healthy'] * STEP}s", "alertname": name} for name in firing]
    tests += [{"eval_time": f"{at[when] * STEP}s", "alertname": name, "exp_alerts": [
        {"exp_labels": labels, "exp_annotations": {k: filled(v, labels) for k, v in notes[name].items()}}
        for labels in which]} for name, (when, which) in firing.items()]
    file = lab.write("test.yml", json.dumps({
        "rule_files": [os.path.join(FOLDER, "alerts.yml")], "evaluation_interval": f"{STEP}s",
        "tests": [{"interval": f"{STEP}s", "input_series": run.series(), "alert_rule_test": tests}]}, indent=1))
    note("\n".join(f"{s['series']} {s['values']}" for s in run.series() if "last_packet" in s["series"]))
    promtool("check", "rules", os.path.join(FOLDER, "alerts.yml"))
    promtool("check", "config", os.path.join(FOLDER, "prometheus.yml"))
    promtool("test", "rules", file)


class Port(contextlib.AbstractContextManager):
    """Does what systemd does for smcroute-metrics.socket: a process for each connection."""

    def __init__(self, lab, words):
        unit = read("smcroute-metrics.socket")
        host, _, port = re.search(r"ListenStream=(\S+)", unit)[1].rpartition(":")
        self.listener, self.end = socket.create_server((host, int(port))), False
        self.argv, self.env = ["sh", SCRIPT, *words], path(lab)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            s, _ = self.listener.accept()
            with s:
                if self.end:
                    return
                subprocess.run(self.argv, stdin=s, stdout=s, env=self.env, timeout=60, check=False)

    def __exit__(self, *_):
        self.end = True
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


def ask(url):
    """The answer of Prometheus, or None while it does not give one."""
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())["data"]


def panel_queries(series):
    """(title, query, legend) of each query of the dashboard, as Grafana asks for all routers; series: labels that a
    query finds."""
    board = json.loads(read("dashboard.json"))
    variable, = board["templating"]["list"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
    everyone = "(" + "|".join(re.escape(s[label]).replace("\\", r"\\") for s in series(metric)) + ")"
    for p in board["panels"]:
        for t in p["targets"]:
            query = t["expr"].replace("$" + variable["name"], everyone).replace("$__rate_interval", "10s")
            check("$" not in query, query)
            yield p["title"], query, t["legendFormat"]


@case("Prometheus itself, told what prometheus.yml says, scrapes the port, has the alerts and fills the dashboard")
def prometheus(lab):
    if not shutil.which("prometheus"):
        raise Skip("no prometheus here")
    known_daemon(lab, "mroute from a1 source 10.1.0.5 group 239.50.0.1 to a2\n"
                 "mroute from wg0 group 239.50.0.2 to a2\n")
    lab.ip("link", "set", "lo", "up")
    lab.wait(lab.send("a1", "10.1.0.5", "239.50.0.1", 7), "a2")
    shutil.copy(os.path.join(FOLDER, "alerts.yml"), lab.dir)
    conf = read("prometheus.yml").replace("scrape_interval: 30s", "scrape_interval: 1s")
    check("interval: 1s" in conf, conf)
    argv = ["prometheus", f"--config.file={lab.write('prometheus.yml', conf)}",
            f"--storage.tsdb.path={lab.path('tsdb')}", "--web.listen-address=127.0.0.1:9090"]
    with Port(lab, ["-w"]), open(lab.path("log"), "w") as log, \
         subprocess.Popen(argv, stdout=log, stderr=log, preexec_fn=child_setup) as p:
        def asked(query):
            found = ask("http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(query))
            return found and found["result"]
        def value(query):
            found = asked(query)
            return found and [float(r["value"][1]) for r in found]
        try:
            for query, wanted in (('up{job="smcroute",network="a"}', 1), ("smcroute_pending", 1),
                                  ('smcroute_entry_packets_total{network="a"}', 7)):
                wait_until(lambda: value(query) == [wanted], lambda: f"{query}: {value(query)}", 60)
            check(0 <= value('time() - smcroute_rule_last_packet_timestamp_seconds{iif="a1"}')[0] < 120, "last packet")
            rules = ask("http://127.0.0.1:9090/api/v1/rules")["groups"][0]["rules"]
            same([r["name"] for r in rules], re.findall(r"alert: (\w+)", read("alerts.yml")), "alerts")
            for title, query, legend in panel_queries(lambda q: [r["metric"] for r in asked(q)]):
                named = set(re.findall(r"{{(\w+)}}", legend))
                wait_until(lambda query=query: asked(query), f"data for {title}: {query}", 60)
                check(all(named <= set(r["metric"]) for r in asked(query)), f"{title}: {asked(query)} has not {legend}")
        finally:
            p.kill()


@case("the dashboard is JSON, and each metric that it, the alerts and the paper name is there")
def dashboard(lab):
    known_daemon(lab, "mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\n")
    there = {series.split("{")[0] for series in samples(metrics(lab))}
    board = json.loads(read("dashboard.json"))
    panels = board["panels"]
    same(len({p["id"] for p in panels}), len(panels), "numbers of panels")
    cells = [(x, y) for p in panels for g in [p["gridPos"]] for x in range(g["x"], g["x"] + g["w"])
             for y in range(g["y"], g["y"] + g["h"])]
    same((len(set(cells)), max(x for x, _ in cells)), (len(cells), 23), "panels beside each other")
    queries = [t["expr"] for p in panels for t in p["targets"]]
    check(len(queries) >= len(panels) and all(p["title"] for p in panels), "a panel without a query")
    variable, = [v["query"] for v in board["templating"]["list"]]
    labels = {"source", "group", "iif", "interface", "family", "state", "network", "instance"}
    for p in panels:
        for t in p["targets"]:
            check(set(re.findall(r"{{(\w+)}}", t["legendFormat"])) <= labels, t["legendFormat"])
    for where, text in (("dashboard", " ".join([*queries, variable])), ("alerts", read("alerts.yml")),
                        ("paper", read("README.md"))):
        named = set(re.findall(r"\bsmcroute_(?!entry_\.)\w+", text))
        check(named, f"no metric in {where}")
        same(named - there, set(), f"metrics of {where} that there are not")
    rules = lab.write("queries.yml", json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"query_{i}", "expr": q.replace("$__rate_interval", "5m")} for i, q in enumerate(queries)]}]}))
    promtool("check", "rules", rules)


if __name__ == "__main__":
    main()
