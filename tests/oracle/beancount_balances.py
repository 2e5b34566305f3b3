"""Prints what beancount says that each account has: at the end of each of the given days, as day,account,commodity,amount.

The file is the first argument, days are the others. Errors of beancount go to standard error and end the program badly. What is left over
in transactions at cost is printed as the day `residual`.
"""

import collections
import datetime
import sys

from beancount import loader
from beancount.core import data, interpolate

entries, errors, _options = loader.load_file(sys.argv[1])
for error in errors:
    print(error, file=sys.stderr)
if errors:
    sys.exit(1)
days = sorted(datetime.date.fromisoformat(day) for day in sys.argv[2:])
sums = collections.Counter()
left = collections.Counter()


def show(day):
    for (account, commodity), amount in sorted(sums.items()):
        if amount:
            print(f"{day},{account},{commodity},{amount:f}")


for entry in data.sorted(entries):
    if not isinstance(entry, data.Transaction):
        continue
    while days and entry.date > days[0]:
        show(days.pop(0))
    for posting in entry.postings:
        sums[posting.account, posting.units.currency] += posting.units.number
    for position in interpolate.compute_residual(entry.postings):
        left[position.units.currency] += position.units.number
for day in days:
    show(day)
for commodity, amount in sorted(left.items()):
    print(f"residual,,{commodity},{amount:f}")
