/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: reads the items of lists in an answer, each as a few texts. Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum { EC2_FIELDS_MAX = 16 };

/* A list to be read. */
struct ec2_items {
	const char *path;                   /* path of each item: "volumeSet/item" */
	const char *fields[EC2_FIELDS_MAX]; /* paths below it; "tag:KEY": the value of that tag */
	size_t most;                        /* items; more are ERR_IO */
	/* results, in the arena: */
	struct ec2_item {
		struct str at[EC2_FIELDS_MAX]; /* empty: absent */
	} * at;
	size_t count;
	struct str next; /* nextToken of the document */
};

/* Reads one list of the document. ERR_IO: the text is no such document, or breaks a limit. */
RESULT ec2_read_items(struct ctx *c, struct str text, const char *root, struct ec2_items *list);
