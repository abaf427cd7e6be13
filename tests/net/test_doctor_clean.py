# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where packets flow, as tests/net/doctor/clean.py has it: no error.
from cases import main
import doctor.clean		# noqa: F401

if __name__ == "__main__":
    main()
