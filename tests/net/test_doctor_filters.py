# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where a packet filter stops what was routed, as tests/net/doctor/filters.py has it.
from cases import main
import doctor.filters		# noqa: F401

if __name__ == "__main__":
    main()
