# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where filters of tc stop what is routed, as tests/net/doctor/tc.py has it.
from cases import CASES, main
import doctor.bridges		# noqa: F401

CASES.clear()
import doctor.tc		# noqa: E402,F401

if __name__ == "__main__":
    main(3)
