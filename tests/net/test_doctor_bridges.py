# SPDX-License-Identifier: ISC
#
# smcroute-check doctor and bridges, as tests/net/doctor/bridges.py has it.
from cases import main
import doctor.bridges		# noqa: F401

if __name__ == "__main__":
    main()
