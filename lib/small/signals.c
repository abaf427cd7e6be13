/* SPDX-License-Identifier: ISC
 *
 * sigaction(2) of the small build, for the machines whose kernel takes it in this
 * form: musl's also guards the signal that ends a program, and has signals of its own.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __LP64__ && (defined __x86_64__ || defined __AARCH64EL__)

/* As the kernel has it.  Handlers return through libc's __restore_rt. */
struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};
#define SA_RESTORER 0x04000000
void __restore_rt(void);

int sigaction(int sig, const struct sigaction *restrict to, struct sigaction *restrict old)
{
	struct kernel_action is, was;

	if (to) {
		is = (struct kernel_action){ to->sa_handler, (unsigned long)to->sa_flags | SA_RESTORER, __restore_rt, 0 };
		memcpy(&is.mask, &to->sa_mask, sizeof is.mask);
	}
	if (syscall(SYS_rt_sigaction, sig, to ? &is : NULL, &was, sizeof is.mask) < 0)
		return -1;
	if (old) {
		old->sa_handler = was.handler;
		old->sa_flags = (int)was.flags;
		memcpy(&old->sa_mask, &was.mask, sizeof was.mask);
	}
	return 0;
}

void (*signal(int sig, void (*handler)(int)))(int)
{
	struct sigaction is = { .sa_handler = handler, .sa_flags = SA_RESTART }, was;

	return sigaction(sig, &is, &was) < 0 ? SIG_ERR : was.sa_handler;
}

#endif
