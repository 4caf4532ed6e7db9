/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into qemu-img by the tests: shortens the measurement that precedes each LUKS header.
 *
 * QEMU chooses the number of PBKDF2 rounds by a benchmark of the machine, twice for a header, and repeats it with more rounds
 * until one takes half a second of processor time (QEMU, qcrypto_pbkdf2_count_iters). Dari's keys are random, so it asks for the fewest
 * rounds that QEMU takes, and the result of the benchmark is lost: 2.4 s for each encrypted disk of a test. Where the
 * processor time of a thread is shown a thousand times as large, the first repetition ends it. */
#include <sys/resource.h>
#include <time.h>

enum { FASTER = 1000, SECOND_NS = 1000000000 };

int getrusage(int who, struct rusage *usage);

int getrusage(int who, struct rusage *usage)
{
	struct timespec used;
	clockid_t clock = who == RUSAGE_THREAD ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
	*usage = (struct rusage){0};
	if (clock_gettime(clock, &used) != 0)
		return -1;
	long long ns = (used.tv_sec * (long long) SECOND_NS + used.tv_nsec) * FASTER;
	usage->ru_utime.tv_sec = ns / SECOND_NS;
	usage->ru_utime.tv_usec = ns % SECOND_NS / 1000;
	return 0;
}
