#!/usr/bin/env python3
"""A shop's day for scripts/test-previous.sh, through the front door of an api: what two releases on one database are asked.

  release-client.py prepare URL STATE            logs in ($LOGIN, $PASSWORD), opens a small shop, and remembers it in STATE
  release-client.py load URL STATE UNTIL MOST    people at work until the file UNTIL is there, at most so many seconds
  release-client.py day URL STATE                every kind of change once
  release-client.py job URL STATE                asks for jobs, and waits until somebody has done them
  release-client.py hears ASK LISTEN STATE       what is changed at ASK is told of at LISTEN
  release-client.py prove URL STATE              stock and books are what their movements and lines make them

It prints what it has done as one line of JSON, and ends with 1 when something was refused, wrong or too late. A request that is
answered with SERVICE_UNAVAILABLE changed nothing, and is sent again with its idempotency key, as clients do; that is counted.
"""

import http.client
import json
import os
import sys
import threading
import time
import uuid
from collections import Counter
from datetime import date, datetime, timezone
from urllib.parse import urlsplit

# How long a person waits for an answer, and for something to be done behind it.
ANSWER, DONE = 30, 60
WORKERS = 4
GRAPHQL = "/api/graphql"


class Wrong(Exception):
    """Something that two releases side by side must not do."""


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12].upper()}"


def english(text):
    return [{"language": "en", "text": text}]


class Client:
    """One person at one api, over a connection that is kept."""

    def __init__(self, url, cookie=""):
        self.at, self.cookie, self.connection = urlsplit(url), cookie, None
        self.repeated = 0

    def headers(self, accept):
        headers = {"Content-Type": "application/json", "Accept": accept}
        if self.cookie:
            headers["Cookie"] = self.cookie
        return headers

    def post(self, document, variables, accept="application/json"):
        """The response to a request; a kept connection that the server has closed is opened once more."""
        body = json.dumps({"query": document, "variables": variables})
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=ANSWER)
            try:
                self.connection.request("POST", GRAPHQL, body, self.headers(accept))
                return self.connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                self.connection = None
                if fresh or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def answer(self, document, variables):
        response = self.post(document, variables)
        text = response.read()
        try:
            return response, json.loads(text)
        except ValueError:
            raise Wrong(f"status {response.status}: {text[:200]!r}") from None

    def ask(self, document, variables=None):
        """What a faultless answer says. Nobody has to wait for a migration longer than three attempts."""
        for attempt in (1, 2, 3):
            _, answer = self.answer(document, variables or {})
            codes = [error.get("extensions", {}).get("code") for error in answer.get("errors", [])]
            if not codes:
                return answer["data"]
            if attempt == 3 or any(code != "SERVICE_UNAVAILABLE" for code in codes):
                raise Wrong(json.dumps(answer)[:600])
            self.repeated += 1
            time.sleep(0.2 * attempt)
        raise AssertionError("unreachable")

    def change(self, mutation, kind, told, /, **given):
        """A mutation, with an idempotency key: what it tells."""
        given.setdefault("idempotencyKey", uuid.uuid4().hex)
        document = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {told} userErrors {{ code path message }} }} }}"
        payload = self.ask(document, {"input": given})[mutation]
        if payload["userErrors"]:
            raise Wrong(f"{mutation} {json.dumps(given)[:300]}: {json.dumps(payload['userErrors'])[:300]}")
        return payload


class Shop:
    """What people do in a shop, as somebody at an api."""

    def __init__(self, url, state):
        self.state, self.client = state, Client(url, state["cookie"])

    # --- what is changed ----------------------------------------------------------------------------------------------

    def item(self):
        sku = name("SIDE")
        made = self.client.change("itemCreate", "ItemCreateInput", "item { id sku }", sku=sku, name=english(sku),
                                  categoryId=self.state["category"], unitId=self.state["unit"])
        return made["item"]

    def items(self):
        item = self.item()["id"]
        changed = self.client.change("itemUpdate", "ItemUpdateInput", "item { tags }", id=item, tags=["side", "by side"])
        if sorted(changed["item"]["tags"]) != ["by side", "side"]:
            raise Wrong(f"tags: {changed}")
        self.client.change("itemArchive", "ItemArchiveInput", "item { archivedAt }", id=item)
        self.client.change("itemRestore", "ItemArchiveInput", "item { archivedAt }", id=item)

    def categories(self):
        made = self.client.change("categoryCreate", "CategoryCreateInput", "category { id }", name=english(name("Side")))
        self.client.change("categoryUpdate", "CategoryUpdateInput", "category { id }", id=made["category"]["id"], name=english(name("Other")))

    def locations(self):
        self.client.change("locationCreate", "LocationCreateInput", "location { id }", code=name("L"), kind="STORAGE", name=english("Store"))

    def some_item(self):
        items = self.state["items"]
        return items[uuid.uuid4().int % len(items)]

    def stock(self):
        item, here, there = self.some_item(), self.state["here"], self.state["there"]
        entry, client = "entry { id number }", self.client
        received = client.change("stockReceive", "StockReceiveInput", entry, reason="PURCHASED", lines=[{"itemId": item, "toId": here, "quantity": 10}])
        client.change("stockMove", "StockMoveInput", entry, lines=[{"itemId": item, "fromId": here, "toId": there, "quantity": 3}])
        client.change("stockIssue", "StockIssueInput", entry, reason="SOLD", lines=[{"itemId": item, "fromId": there, "quantity": 1}])
        client.change("stockReserve", "StockReserveInput", "reservations { id }", consumer=name("cart"),
                      lines=[{"itemId": item, "locationId": there, "quantity": 1}])
        return received["entry"]["id"]

    def stock_taken_back(self):
        self.client.change("stockReverse", "StockReverseInput", "entry { id }", id=self.lonely_receipt())

    def lonely_receipt(self):
        """A receipt of an item of its own, of which nothing has left again."""
        line = {"itemId": self.item()["id"], "toId": self.state["here"], "quantity": 2}
        return self.client.change("stockReceive", "StockReceiveInput", "entry { id }", reason="PURCHASED", lines=[line])["entry"]["id"]

    def journal(self):
        debit, credit = self.state["accounts"]
        lines = [{"accountId": debit, "debit": "1000"}, {"accountId": credit, "credit": "1000"}]
        posted = self.client.change("journalPost", "JournalPostInput", "entry { id number }", date=self.state["date"], lines=lines)
        return posted["entry"]["id"]

    def journal_taken_back(self):
        self.client.change("journalReverse", "JournalReverseInput", "entry { id }", id=self.journal(), date=self.state["date"])

    # --- what is asked ------------------------------------------------------------------------------------------------

    def reads(self):
        self.client.ask("{ items(first: 20) { nodes { id sku name category { id name } primaryImage { id state } } } }")
        self.client.ask("{ categoryTree { id name depth } }")
        self.client.ask("query($i: [ID!]) { stockLevels(first: 20, where: {itemIds: $i}) { nodes { onHand reserved item { sku } } } }",
                        {"i": self.state["items"]})
        self.client.ask("query($d: Date!) { trialBalance(asOf: $d) { commodity debit credit account { code } } }", {"d": self.state["date"]})

    # --- what others do -----------------------------------------------------------------------------------------------

    def probe(self):
        return self.client.change("jobEnqueue", "JobEnqueueInput", "job { id }", errand="PROBE_QUEUE")["job"]["id"]

    def code(self):
        return self.client.change("jobEnqueue", "JobEnqueueInput", "job { id }", errand="RENDER_CODE", itemId=self.item()["id"])["job"]["id"]

    def export(self):
        made = self.client.change("itemExportCreate", "ItemExportCreateInput", "itemExport { id job { id } }")
        return made["itemExport"]["job"]["id"]

    def until_done(self, job):
        """Waits for a job to succeed."""
        end = time.monotonic() + DONE
        while True:
            found = self.client.ask("query($id: ID!) { job(id: $id) { kind state error attempts } }", {"id": job})["job"]
            if found["state"] == "SUCCEEDED":
                return found["kind"]
            if found["state"] in ("DEAD", "CANCELLED") or time.monotonic() > end:
                raise Wrong(f"after {DONE} s at most: {json.dumps(found)}")
            time.sleep(0.1)

    def proved(self, query, mutation, kind, told, /, **given):
        """Asks for a proof and waits until it is made: how many differences it found."""
        asked = self.client.change(mutation, kind, f"{told} {{ id }}", **given)[told]["id"]
        end = time.monotonic() + DONE
        while True:
            found = self.client.ask(f"query($id: ID!) {{ {query}(id: $id) {{ finishedAt differenceCount job {{ state error }} }} }}", {"id": asked})[query]
            if found["finishedAt"]:
                return found["differenceCount"]
            if time.monotonic() > end:
                raise Wrong(f"{mutation}: {json.dumps(found)}")
            time.sleep(0.1)


def log_in(url):
    client = Client(url)
    document = "mutation($input: LoginInput!) { login(input: $input) { userErrors { code } } }"
    response, answer = client.answer(document, {"input": {"email": os.environ["LOGIN"], "password": os.environ["PASSWORD"]}})
    cookies = [line.split(";")[0] for line in response.headers.get_all("Set-Cookie", [])]
    if not cookies:
        raise Wrong(f"nobody can log in: {json.dumps(answer)[:300]}")
    return "; ".join(cookies)


def prepare(url, path):
    today = datetime.now(timezone.utc).date()
    state = {"cookie": log_in(url), "date": today.isoformat()}
    client = Client(url, state["cookie"])
    units = client.ask("{ unitsOfMeasure { id code } }")["unitsOfMeasure"]
    state["unit"] = next(unit["id"] for unit in units if unit["code"] == "piece")
    made = client.change("categoryCreate", "CategoryCreateInput", "category { id }", name=english("Side by side"))
    state["category"] = made["category"]["id"]
    for place in ("here", "there"):
        made = client.change("locationCreate", "LocationCreateInput", "location { id }", code=name("L"), kind="STORAGE", name=english(place))
        state[place] = made["location"]["id"]
    chart = client.change("accountTemplateApply", "AccountTemplateApplyInput", "accounts { id code }", template="JEWELLER")["accounts"]
    ids = {account["code"]: account["id"] for account in chart}
    state["accounts"] = [ids["1101"], ids["4112"]]
    first, last = date(today.year, 1, 1), date(today.year, 12, 31)
    client.change("fiscalYearCreate", "FiscalYearCreateInput", "fiscalYear { id }", name="This year", startsOn=first.isoformat(), endsOn=last.isoformat())
    shop = Shop(url, state)
    state["items"] = [shop.item()["id"] for _ in range(8)]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(state, file)
    return {"items": len(state["items"])}


class Load:
    """Some people at work, each doing one thing after another with a breath in between."""

    def __init__(self, url, state, until, most):
        self.url, self.state, self.until, self.end = url, state, until, time.monotonic() + most
        self.done, self.failed, self.examples, self.slowest, self.repeated = Counter(), 0, [], 0.0, 0
        self.lock = threading.Lock()

    def is_over(self):
        return time.monotonic() > self.end or os.path.exists(self.until)

    def work(self, place):
        shop = Shop(self.url, self.state)
        things = [shop.reads, shop.items, shop.stock, shop.journal, shop.probe, shop.reads, shop.categories, shop.code]
        while not self.is_over():
            thing = things[place % len(things)]
            place += 1
            begun, fault = time.monotonic(), None
            try:
                thing()
            except (Wrong, OSError, http.client.HTTPException, KeyError, TypeError) as error:
                fault = f"{thing.__name__}: {error!r}"
                shop.client.connection = None
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if fault:
                    self.failed += 1
                    self.examples = (self.examples + [fault])[:5]
                else:
                    self.done[thing.__name__] += 1
            time.sleep(0.05)
        with self.lock:
            self.repeated += shop.client.repeated

    def run(self):
        crowd = [threading.Thread(target=self.work, args=(2 * number,)) for number in range(WORKERS)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        report = {"done": dict(self.done), "failed": self.failed, "repeated": self.repeated, "slowest": round(self.slowest, 2), "examples": self.examples}
        # Whoever has done nothing has shown nothing.
        missing = {"reads", "items", "stock", "journal", "probe", "categories", "code"} - set(self.done)
        if self.failed or missing:
            raise Wrong(json.dumps({**report, "never": sorted(missing)}))
        return report


def day(url, state):
    shop = Shop(url, state)
    things = [shop.reads, shop.items, shop.categories, shop.locations, shop.stock, shop.stock_taken_back, shop.journal, shop.journal_taken_back]
    for thing in things:
        thing()
    return {"done": [thing.__name__ for thing in things], "repeated": shop.client.repeated}


def job(url, state):
    shop = Shop(url, state)
    asked = [shop.probe(), shop.code(), shop.export()]
    return {"done": [shop.until_done(one) for one in asked]}


def listen(url, state, heard, ready):
    """Follows changes of items as server-sent events, until the connection ends."""
    client = Client(url, state["cookie"])
    response = client.post("subscription { itemChanged { action item { sku } } }", {}, accept="text/event-stream")
    if response.status != 200:
        heard.append(f"status {response.status}")
        ready.set()
        return
    ready.set()
    try:
        while line := response.readline():
            heard.append(line.decode(errors="replace"))
    except OSError:
        pass


def hears(asked, listened, state):
    heard, ready = [], threading.Event()
    threading.Thread(target=listen, args=(listened, state, heard, ready), daemon=True).start()
    if not ready.wait(ANSWER):
        raise Wrong("no subscription")
    shop, end = Shop(asked, state), time.monotonic() + DONE
    # A subscription begins a moment after its answer does: what is changed until then is told to others.
    while time.monotonic() < end:
        sku, patience = shop.item()["sku"], time.monotonic() + 5
        while time.monotonic() < patience:
            if any(sku in line for line in heard):
                return {"heard": sku}
            time.sleep(0.05)
    raise Wrong(f"nothing was heard: {heard[-3:]}")


def prove(url, state):
    shop, found = Shop(url, state), {}
    for subject in ("LEVELS", "COSTS", "SERIES"):
        found[subject] = shop.proved("stockReconciliation", "stockReconcile", "StockReconcileInput", "reconciliation", subject=subject)
    found["LEDGER"] = shop.proved("ledgerVerification", "ledgerVerify", "LedgerVerifyInput", "ledgerVerification")
    if any(count != 0 for count in found.values()):
        raise Wrong(f"differences: {json.dumps(found)}")
    return {"differences": found}


def remembered(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


COMMANDS = {
    "prepare": (2, prepare),
    "load": (4, lambda url, state, until, most: Load(url, remembered(state), until, float(most)).run()),
    "day": (2, lambda url, state: day(url, remembered(state))),
    "job": (2, lambda url, state: job(url, remembered(state))),
    "hears": (3, lambda asked, listened, state: hears(asked, listened, remembered(state))),
    "prove": (2, lambda url, state: prove(url, remembered(state))),
}


def main():
    count, command = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "", (-1, None))
    if command is None or len(sys.argv) != count + 2:
        raise SystemExit(__doc__)
    try:
        print(json.dumps(command(*sys.argv[2:])))
    except (Wrong, OSError, http.client.HTTPException) as error:
        print(error if isinstance(error, Wrong) else repr(error))
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
