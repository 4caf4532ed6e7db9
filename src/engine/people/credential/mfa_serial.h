/* SPDX-License-Identifier: Apache-2.0
 * Serial numbers of second factors, as IAM and STS name them: ARNs. Pure; any thread. */
#pragma once

#include "store/store.h"

struct second_factor;

/* "arn:aws:iam::111122223333:mfa/ann": the MFA device that the factor comes from, or, of a factor that its user made in
 * the console, a name with the factor's id. p NULL: the arena is full. */
struct str mfa_serial_write(struct arena *a, const struct tables *t, struct str account_number,
			    const struct second_factor *f);
