# SPDX-License-Identifier: ISC
#
# smcroute-check doctor in set-ups that were judged wrong once, as tests/net/doctor/strange.py has them.
import cases
from doctor import strange		# noqa: F401

if __name__ == "__main__":
    cases.CASES[:] = [c for c in cases.CASES if c[2][0].__module__ == strange.__name__]
    cases.main(5)
