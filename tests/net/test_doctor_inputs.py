# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where packets do not get to the router, as tests/net/doctor/inputs.py has it.
from cases import main
import doctor.inputs		# noqa: F401

if __name__ == "__main__":
    main()
