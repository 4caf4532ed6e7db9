/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: reads answers of EC2's and STS's query APIs. Streams the XML, so that memory is
 * proportional to the machines kept and not to the document. Refuses document types (and with them entities),
 * depth, long texts and long lists. Namespaces are ignored: compatible clouds write other ones. Pure; any
 * thread. */
#pragma once

#include "drivers/remote.h"

enum { EC2_CURSOR_MAX = 4096 };

struct ec2_answer {
	struct str root;                 /* name of the document's element, without prefix */
	struct str code, message;        /* the first error; empty: none */
	struct str account;              /* of GetCallerIdentity */
	struct str next;                 /* nextToken */
	struct remote_machine *machines; /* of DescribeInstances */
	size_t machine_count;
};

/* ERR_IO, with a sentence: the text is not such an answer, or breaks a limit. Everything is in the arena. */
RESULT ec2_read_answer(struct ctx *c, struct str text, struct ec2_answer *ret_answer);
