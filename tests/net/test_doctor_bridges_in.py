# SPDX-License-Identifier: ISC
#
# smcroute-check doctor and bridges, as tests/net/doctor/bridges_in.py has it.
from cases import CASES, main
import doctor.bridges		# noqa: F401

CASES.clear()
import doctor.bridges_in	# noqa: E402,F401

if __name__ == "__main__":
    main()
