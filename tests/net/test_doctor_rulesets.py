# SPDX-License-Identifier: ISC
#
# smcroute-check doctor beside whole rulesets, as tests/net/doctor/rulesets.py has them.
from cases import main
import doctor.rulesets		# noqa: F401

if __name__ == "__main__":
    main(3)
