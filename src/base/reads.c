/* SPDX-License-Identifier: Apache-2.0
 * The record of each thread. */
#include "base/reads.h"

#include <stddef.h>

_Thread_local struct reads reads_here;

void reads_begin(const void *of)
{
	reads_here = (struct reads){.commit = UINT64_MAX, .of = of};
}

void reads_end(void)
{
	reads_here.of = NULL;
}

void reads_drop_sources(void)
{
	reads_here.has_figures = reads_here.has_clock = reads_here.has_outside = false;
}

void reads_add_kinds(const uint64_t kinds[static READS_WORDS])
{
	for (size_t k = 0; k < READS_WORDS; k++)
		reads_here.kinds[k] |= kinds[k];
}
