/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: the change feed, a queue of SQS that receives events of the account. */
#pragma once

#include "drivers/remote/json.h"

/* read_changes() of the driver: two requests. */
RESULT ec2_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			struct remote_changes *ret_changes);
/* Reads the answer of ReceiveMessage, and the receipts of its messages. Messages of other forms change nothing, and are
 * deleted like the others. ERR_IO: it is no list of messages. */
RESULT ec2_read_messages(struct ctx *c, const json_t *root, struct remote_changes *ret_changes,
			 struct strs *ret_receipts);
