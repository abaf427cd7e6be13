# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where rules are at fault, as tests/net/doctor/rules.py has it.
from cases import main
import doctor.rules		# noqa: F401

if __name__ == "__main__":
    main()
