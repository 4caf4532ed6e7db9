# SPDX-License-Identifier: Apache-2.0
"""The web console in Debian's Chromium with a processor throttled to a quarter: time to paint a page, its size, sorting and filtering of ten
thousand instances, and the time from a commit's answer to the changed pixel. The peer is the page of cockpit-machines, served by its own
server on this machine for a libvirt without machines, because it cannot show ten thousand."""
import contextlib
import glob
import http.client
import json
import os
import re
import statistics
import subprocess
import threading
import time

from rates import launch_form
from stream import call, token
from tools import Target, cpu_s, process, run, say, wait_quiet

SLOWER, INSTANCES, LAUNCH = 4, 10000, 500
CHANGES_S, SECONDS = 200, 15
LOADS, ORDERS = 3, 5
ROUNDS, LAUNCHES, SETTLE_S = 6, 600, 1.5
HOSTS, HAS_PEER = 160, True
BRIEF = {"SLOWER": 1, "INSTANCES": 20, "LAUNCH": 10, "CHANGES_S": 50, "SECONDS": 1, "LOADS": 1, "ORDERS": 2, "ROUNDS": 1, "LAUNCHES": 10,
         "SETTLE_S": 0.2, "HOSTS": 8, "HAS_PEER": False}  # the peer's packages come from Debian's archive
NO_PEER = {"paint": None, "code": None}
COCKPIT = ["cockpit-ws", "cockpit-bridge", "cockpit-system", "cockpit-machines"]

# Checks before each frame whether the list is complete and painted.
WATCH = """
window.figures = {};
new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach((e) => { window.figures.paint = e.startTime; }))
	.observe({type: "paint", buffered: true});
let store = null;
const look = async () => {
	const main = document.querySelector("script[type=module][src$='main.js']");
	if (main && store === null) {
		store = undefined;
		store = await import(main.src.replace("main.js", "store.js"));
	}
	const kind = store?.need && location.pathname.endsWith("/instances") ? store.need("instances") : null;
	if (kind?.isLoaded && document.querySelector("tr[data-id]")) {
		requestAnimationFrame(() => setTimeout(() => { window.figures.whole ??= performance.now(); window.figures.rows = kind.rows.size; }));
		return;
	}
	requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# Records when a number is first on the screen: reads the changed names after the frame that shows them is painted.
SEE = """
window.seen = {};
new MutationObserver((changes) => {
	const numbers = changes.map(({target}) => /^n(\\d+)$/.exec(target.data ?? target.textContent)?.[1]).filter(Boolean);
	setTimeout(() => numbers.forEach((n) => { window.seen[n] ??= performance.timeOrigin + performance.now(); }));
}).observe(document.querySelector(".list tbody"), {subtree: true, characterData: true, childList: true});
"""
# Time from a change of the order or the filter to the painted frame.
ORDER = """
const [words, done] = arguments;
import(document.querySelector("script[type=module]").src.replace("main.js", "router.js")).then(({say}) => {
	say(words);
	requestAnimationFrame(() => setTimeout(done));
});
"""


class Region:
    """`dari dev` with ten thousand instances of one account."""

    def __init__(self, build, child):
        self.child, self.build, banner = child, build, ""
        for line in child.stdout:
            banner += line
            if line.startswith("Ready"):
                break
        words = dict(re.findall(r"\b([A-Z_]+)=(\S+)", banner))
        self.config, self.url = words["DARI_CONFIG"], words["AWS_ENDPOINT_URL"]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.target = Target(build, f"127.0.0.1:{self.port}", words["AWS_ACCESS_KEY_ID"], words["AWS_SECRET_ACCESS_KEY"])
        self.token = token(self.port, words["OS_PROJECT_NAME"], words["OS_USERNAME"], words["OS_PASSWORD"])
        self.image = re.search(r"<imageId>([^<]*)", self.target.ask("Action=DescribeImages"))[1]

    def link(self):
        said = run(self.child.args[0], "--config", self.config, "console", "--account", "dev", "--json")
        return json.loads(said)["url"]

    def make_subnet(self, block, zone):
        router = re.search(r"<vpcId>([^<]*)", self.target.ask("Action=DescribeVpcs"))[1]
        made = self.target.ask(f"Action=CreateSubnet&VpcId={router}&CidrBlock={block}&AvailabilityZone={zone}")
        return re.search(r"<subnetId>([^<]*)", made)[1]

    def fill(self):
        zones = re.findall(r"<zoneName>([^<]*)", self.target.ask("Action=DescribeAvailabilityZones"))
        blocks = zip(("172.31.64.0/18", "172.31.128.0/17"), zones)
        said = {"image": [self.image], "subnet": [self.make_subnet(block, zone) for block, zone in blocks]}
        since = time.monotonic()
        for number in range(0, INSTANCES, LAUNCH):
            self.target.ask(launch_form(said, number // LAUNCH % 2, LAUNCH))
        wait_quiet(self.child.pid, 120)
        say(f"console: {INSTANCES} instances after {time.monotonic() - since:.0f} s")
        return said


def slow(browser):
    browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def load(browser, url, has_page):
    """Loads a page without a cache: {paint, whole, code, api} in milliseconds and bytes as sent."""
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open("about:blank")
    browser.open(url)
    browser.until(has_page, what=url)
    return browser.run("const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];"
                       "const sum = (isApi) => all.filter(e => e.name.includes('/api/') === isApi).reduce((n, e) => n + e.transferSize, 0);"
                       "return {...window.figures, code: sum(false), api: sum(true)}")


def heap_mib(browser):
    browser.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return browser.driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"] / (1 << 20)


def order_ms(browser, *words):
    """Median processor time of the page for a change of order or filter, until it is painted. Each order was shown once before, as when
    somebody goes on sorting."""
    def busy_ms():
        said = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(m["value"] for m in said if m["name"] == "TaskDuration") * 1000
    browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    took = []
    for n in range(ORDERS * len(words)):
        before = busy_ms()
        browser.driver.execute_async_script(ORDER, words[n % len(words)])
        took.append(busy_ms() - before)
    browser.driver.execute_cdp_cmd("Performance.disable", {})
    return statistics.median(took[len(words):])


def change(region, ids, answered):
    """Renames visible rows at this rate, in changes per second."""
    connection, begin = http.client.HTTPConnection("127.0.0.1", region.port, timeout=60), time.monotonic()
    for n in range(CHANGES_S * SECONDS):
        wait = begin + n / CHANGES_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        said = call(connection, region.token, "POST", "/tags", {"ids": [ids[n % len(ids)]], "tags": {"Name": f"n{n}"}})
        if "status" in said:
            raise RuntimeError(said)
        answered[n] = time.time() * 1000
    return time.monotonic() - begin


def measure_changes(region, browser, show):
    ids = browser.run("return [...document.querySelectorAll('tr[data-id] td a')].map(a => a.href.split('/').pop())")
    browser.run(SEE)
    answered, late, took = {}, [], []
    thread = threading.Thread(target=lambda: took.append(change(region, ids, answered)))
    pages = browser_processes(browser)
    before = sum(map(cpu_s, pages))
    thread.start()
    thread.join()
    spent = sum(map(cpu_s, pages)) - before
    time.sleep(1)
    seen = {int(n): at for n, at in browser.run("return window.seen").items()}
    late = sorted(max(0.0, seen[n] - at) for n, at in answered.items() if n in seen)
    say(f"console: {len(answered) / took[0]:.0f} changes/s of {len(ids)} rows, {len(late)} of {len(answered)} were on the screen by themselves; "
        f"the browser took {spent / took[0] * 100:.0f} % of a processor")
    if not late:
        raise RuntimeError("no change reached the screen")
    show("console_change_p50_ms", late[len(late) // 2])
    show("console_change_p99_ms", late[len(late) * 99 // 100])


def browser_processes(browser):
    """Process ids of this Chromium, recognised by its profile directory."""
    home = browser.driver.capabilities["chrome"]["userDataDir"]
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            if home.encode() in f.read():
                found.append(int(path.split("/")[2]))
    return found


def measure_launches(region, said, scratch, show):
    """Launches per second and processor time per launch, alternately with and without a viewer of the account."""
    forms = os.path.join(scratch, "launches")
    with open(forms, "w", encoding="ascii") as f:
        f.write("".join(f"{launch_form(said, n % 2)}&Version=2016-11-15\n" for n in range(LAUNCHES)))
    rates, costs = {True: [], False: []}, {True: [], False: []}
    for number in range(2 * ROUNDS):
        is_watched = number % 4 in (1, 2)
        with contextlib.ExitStack() as stack:
            if is_watched:
                stack.enter_context(viewer(region))
            before, begin = cpu_s(region.child.pid), time.monotonic()
            region.target.program("load", f"forms={forms}", "clients=16")
            rates[is_watched].append(LAUNCHES / (time.monotonic() - begin))
            time.sleep(SETTLE_S)
            costs[is_watched].append((cpu_s(region.child.pid) - before) * 1e6 / LAUNCHES)
    say("console: launches/s with a viewer " + " ".join(f"{r:.0f}" for r in rates[True]) + ", without " + " ".join(f"{r:.0f}" for r in rates[False]))
    show("console_launches_per_s", statistics.median(rates[True]), statistics.median(rates[False]))
    show("console_launch_us", statistics.median(costs[True]), statistics.median(costs[False]))


@contextlib.contextmanager
def viewer(region):
    """Reads the account's event stream of all kinds."""
    connection = http.client.HTTPConnection("127.0.0.1", region.port, timeout=60)
    connection.request("GET", "/api/v1/stream", headers={"X-Auth-Token": region.token})
    answer = connection.getresponse()

    def read():
        with contextlib.suppress(Exception):
            while answer.read1(1 << 20):
                pass
    threading.Thread(target=read, daemon=True).start()
    try:
        yield
    finally:
        connection.sock and connection.sock.close()
        connection.close()


# ---- the peer ----

@contextlib.contextmanager
def cockpit(scratch):
    """Serves cockpit-machines from Debian's packages, unpacked and not installed. Returns the page's address; None if the packages are unavailable."""
    folder = os.path.join(scratch, "cockpit")
    os.makedirs(folder)
    done = subprocess.run(["apt-get", "download", *COCKPIT], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        say("console: no cockpit-machines, so no peer:", done.stderr[-200:])
        yield None
        return
    for package in glob.glob(f"{folder}/*.deb"):
        run("dpkg", "-x", package, f"{folder}/root")
    env = {**os.environ, "XDG_DATA_DIRS": f"{folder}/root/usr/share:/usr/share", "XDG_CONFIG_DIRS": f"{folder}/etc", "PATH": f"{folder}/root/usr/bin:{os.environ['PATH']}"}
    port = 19000 + os.getpid() % 900
    argv = [f"{folder}/root/usr/lib/cockpit/cockpit-ws", "--no-tls", "--address", "127.0.0.1", "--port", str(port), f"--local-session={folder}/root/usr/bin/cockpit-bridge"]
    with process(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        time.sleep(2)
        yield f"http://127.0.0.1:{port}/cockpit/@localhost/machines/index.html"


def measure_peer(web, scratch):
    with cockpit(scratch) as url:
        if not url:
            return NO_PEER
        with web.browser() as browser:
            browser.size(1280)
            browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            slow(browser)
            loads = [load(browser, url, "return window.figures?.paint && document.body.innerText.length > 20") for _ in range(LOADS)]
            say("console: cockpit-machines' page says:", " ".join(browser.text().split())[:120])
    return {name: statistics.median(one[name] for one in loads) for name in ("paint", "code")}


def measure(build, scratch, show):
    import browser as web  # needs only the packages of [test]
    peer = measure_peer(web, scratch) if HAS_PEER else NO_PEER
    argv = [f"{build}/src/daemon/dari", "dev", "--port", "0", "--instant", "--hosts", str(HOSTS)]
    with process(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child, web.browser() as browser:
        region = Region(build, child)
        said = region.fill()
        browser.size(1280)
        browser.open(region.link())
        browser.until("return document.querySelector('nav.side')", what="the pages")
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        slow(browser)
        url = region.url + "/console/instances?sort=age"
        loads = [load(browser, url, "return window.figures?.whole") for _ in range(LOADS)]
        middle = {name: statistics.median(one[name] for one in loads) for name in loads[0]}
        if middle["rows"] < INSTANCES:
            raise RuntimeError(f"{middle['rows']} rows")
        say(f"console: {middle['rows']:.0f} rows, {middle['api'] / 1024:.0f} KiB of answers; loads " + ", ".join(f"paint {one['paint']:.0f} whole {one['whole']:.0f}" for one in loads))
        show("console_first_paint_ms", middle["paint"], peer["paint"])
        show("console_code_kib", middle["code"] / 1024, peer["code"] / 1024 if peer["code"] else None)
        show("console_10000_rows_ms", middle["whole"])
        show("console_heap_mib", heap_mib(browser))
        show("console_elements", browser.run("return document.querySelectorAll('*').length"))
        show("console_sort_ms", order_ms(browser, {"sort": "name"}, {"sort": "type"}, {"sort": "age"}))
        show("console_filter_ms", order_ms(browser, {"q": "i-0"}, {"q": "state:running"}, {"q": ""}))
        measure_changes(region, browser, show)
        browser.open("about:blank")
        measure_launches(region, said, scratch, show)
