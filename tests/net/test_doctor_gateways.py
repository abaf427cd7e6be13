# SPDX-License-Identifier: ISC
#
# smcroute-check doctor at gateways and hosts of containers, as tests/net/doctor/gateways.py has them.
from cases import main
import doctor.gateways		# noqa: F401

if __name__ == "__main__":
    main(5)
