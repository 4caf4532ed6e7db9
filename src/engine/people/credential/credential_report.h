/* SPDX-License-Identifier: Apache-2.0
 * The last credential report of an account. The caller writes it; it stays as it is for CREDENTIAL_REPORT_US.
 * Requires the account's owner, a manager or a policy. */
#pragma once

#include "base/clock.h"
#include "engine/operation.h"

#define CREDENTIAL_REPORT_US (4 * HOUR)

struct credential_report_wish {
	struct str
		report; /* CSV; used only if the account's report is too old, or there is none; empty: no change */
	/* result: */
	bool is_new;
};
OPERATION(engine_put_credential_report, credential_report_wish)
