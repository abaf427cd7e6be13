# SPDX-License-Identifier: ISC
#
# The set-ups of tests/net/doctor/ once more, while a program of somebody else routes in the place of our daemon: some
# of them, or with DOCTOR=all each.
import cases
from doctor import bridges, bridges_in, bridges_more, changed, clean, filters, gateways, homes	# noqa: F401
from doctor import inputs, links, outputs, people, rules, rulesets, strange, tc	# noqa: F401
from doctor.table import FOREIGN

if __name__ == "__main__":
    cases.CASES[:] = FOREIGN
    cases.main(29)
