/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: files of images on local drives of a host, by CIM_DataFile. */
#pragma once

#include "drivers/remote/hyperv/wsman.h"

/* Path of the disk of a machine that was created from here, in the folder of templates. */
struct str files_made_disk(struct ctx *c, struct str folder, uuid token);
/* Start of the names of those disks. */
#define FILES_MADE "dari-"

/* True if the host has that file. */
RESULT files_have(struct wsman_link *l, struct str path, bool *ret_has);
/* Deletes a file. Succeeds if there is none. */
RESULT files_delete(struct wsman_link *l, struct str path);
/* Renames a file. Both are whole paths. */
RESULT files_rename(struct wsman_link *l, struct str path, struct str to);
/* Query for the images in the folder. */
struct str files_query_images(struct ctx *c, struct str folder);
