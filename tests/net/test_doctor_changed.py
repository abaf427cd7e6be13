# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where this host has no way out, as tests/net/doctor/changed.py has it, and more.
from cases import main
import doctor.changed		# noqa: F401

if __name__ == "__main__":
    main()
