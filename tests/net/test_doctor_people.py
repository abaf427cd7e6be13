# SPDX-License-Identifier: ISC
#
# smcroute-check doctor beside rules of packet filters that people have, as tests/net/doctor/people.py has them.
from cases import main
import doctor.people		# noqa: F401

if __name__ == "__main__":
    main(3)
