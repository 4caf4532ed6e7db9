/* SPDX-License-Identifier: Apache-2.0
 * Jobs in processes: pool.h. */
#include "pool.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/cloud/cloud.h"

enum { WORKERS_MAX = 64, SCRATCH_SIZE = 64 };

struct worker {
	pid_t pid; /* 0: free */
	uint64_t job;
	char scratch[SCRATCH_SIZE]; /* where the job makes its files: it may end in the midst of them */
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void) status;
	(void) type;
	(void) at;
	return remove(path);
}

static void remove_scratch(const struct worker *w)
{
	(void) nftw(w->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static pid_t begin(struct worker *w, uint64_t job, unsigned cpu_limit_s, void (*run)(uint64_t job))
{
	(void) fflush(stdout);
	(void) snprintf(w->scratch, sizeof w->scratch, "%s/dari-pool-XXXXXX", cloud_scratch());
	if (!mkdtemp(w->scratch)) {
		perror(w->scratch);
		exit(2);
	}
	pid_t child = fork();
	if (child == 0) {
		struct rlimit
			limit; /* only the soft one: qemu-img, which the job runs, gets limits of its own */
		(void) getrlimit(RLIMIT_CPU, &limit);
		limit.rlim_cur = cpu_limit_s;
		(void) setrlimit(RLIMIT_CPU, &limit);
		(void) alarm(cpu_limit_s * POOL_WAIT_FACTOR);
		(void) setenv(CLOUD_SCRATCH, w->scratch, true);
		run(job);
		_exit(0);
	}
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	return child;
}

void pool_run(uint64_t count, unsigned cpu_limit_s, void (*run)(uint64_t job),
	      bool (*ended)(uint64_t job, int status))
{
	struct worker workers[WORKERS_MAX] = {0};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t size = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t) cores, running = 0;
	for (uint64_t next = 0; next < count || running;) {
		for (size_t k = 0; k < size && next < count; k++)
			if (!workers[k].pid) {
				workers[k].pid = begin(&workers[k], next, cpu_limit_s, run);
				workers[k].job = next++;
				running++;
			}
		int status = 0;
		pid_t pid = wait(&status);
		for (size_t k = 0; k < size; k++)
			if (workers[k].pid == pid) {
				workers[k].pid = 0;
				running--;
				remove_scratch(&workers[k]);
				if (!ended(workers[k].job, status))
					next = count;
			}
	}
}
