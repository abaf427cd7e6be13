# SPDX-License-Identifier: ISC
#
# smcroute-check doctor where packets do not come out, as tests/net/doctor/outputs.py has it.
from cases import main
import doctor.outputs		# noqa: F401

if __name__ == "__main__":
    main()
