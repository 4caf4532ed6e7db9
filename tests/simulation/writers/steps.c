/* SPDX-License-Identifier: Apache-2.0
 * The history's steps, as labels of writers.pml. A file has a line for each: the label, the process or host, an argument. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fiber.h"
#include "history.h"

enum { STEPS_MAX = 200000 };

struct model_process model[PROCESSES_MAX];

static struct {
	enum step step;
	int process;
	int64_t argument, at_us;
	bool took_place;
} steps[STEPS_MAX];
static size_t count;

size_t steps_reserve(enum step step, int process, int64_t argument)
{
	if (count == STEPS_MAX)
		blame("the history is too long");
	steps[count].step = step;
	steps[count].process = process;
	steps[count].argument = argument;
	steps[count].at_us = sim_now_us();
	steps[count].took_place = false;
	return count++;
}

void steps_settle(size_t place, bool took_place)
{
	steps[place].took_place = took_place;
}

void steps_add(enum step step, int process, int64_t argument)
{
	steps_settle(steps_reserve(step, process, argument), true);
}

void steps_write(const char *path, bool are_late)
{
	char name[512];
	static const char *const names[] = {"",
#define S(name) #name,
					    STEPS(S)
#undef S
	};
	(void) snprintf(name, sizeof name, "%s%s", path, are_late ? ".late" : "");
	FILE *file = fopen(name, "we");
	if (!file)
		blame("%s cannot be written", path);
	int64_t at_us = count ? steps[0].at_us : 0;
	for (size_t k = 0; k < count; k++) {
		if (!steps[k].took_place)
			continue;
		if (steps[k].at_us > at_us)
			(void) fprintf(file, "%d TICK 0 %" PRId64 "\n", STEP_TICK, steps[k].at_us - at_us);
		at_us = steps[k].at_us;
		(void) fprintf(file, "%d %s %d %" PRId64 "\n", steps[k].step, names[steps[k].step],
			       steps[k].process, steps[k].argument);
	}
	(void) fclose(file);
}
