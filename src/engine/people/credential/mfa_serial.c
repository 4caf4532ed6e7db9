/* SPDX-License-Identifier: Apache-2.0
 * Serial numbers of second factors. */
#include "engine/people/credential/mfa_serial.h"

#include "model/iam_name.h"
#include "store/mfa_device.h"
#include "store/second_factor.h"

struct str mfa_serial_write(struct arena *a, const struct tables *t, struct str account_number,
			    const struct second_factor *f)
{
	const struct mfa_device *device = mfa_device_first_by_second_factor(t, f->row.id);
	char id[UUID_TEXT_SIZE];
	if (device)
		return iam_arn_to_text(a, account_number, KIND_MFA_DEVICE, &device->row);
	return str_print(a, "arn:aws:iam::%" STR_FMT ":%s/%s", STR_ARG(account_number),
			 f->type == SECOND_FACTOR_TYPE_TOTP ? "mfa" : "u2f", uuid_write(f->row.id, id));
}
