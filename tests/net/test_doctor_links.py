# SPDX-License-Identifier: ISC
#
# smcroute-check doctor and interfaces of kinds that are rare here, as tests/net/doctor/links.py has it.
from cases import CASES, main
import doctor.bridges_in	# noqa: F401

CASES.clear()
import doctor.links		# noqa: E402,F401

if __name__ == "__main__":
    main()
