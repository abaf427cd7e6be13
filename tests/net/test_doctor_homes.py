# SPDX-License-Identifier: ISC
#
# smcroute-check doctor in set-ups of people, as tests/net/doctor/homes.py has them.
from cases import main
import doctor.homes		# noqa: F401

if __name__ == "__main__":
    main(3)
