/* SPDX-License-Identifier: Apache-2.0
 * The firmware that boots an instance. An image uses the same values for instances launched from it. Pure. */
#pragma once

#include "model/instance_words.h"

/* True if UEFI boots the instance. All guests here support UEFI, so it is used whenever the mode prefers
 * it. */
static inline bool model_is_uefi(enum instance_boot_mode mode)
{
	return mode == INSTANCE_BOOT_MODE_UEFI || mode == INSTANCE_BOOT_MODE_UEFI_PREFERRED;
}

/* mode: an enum image_boot_mode, which has the same values; its header is not needed here. */
static inline bool model_image_is_uefi(int mode)
{
	return model_is_uefi((enum instance_boot_mode) mode);
}
