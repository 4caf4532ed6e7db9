/* SPDX-License-Identifier: Apache-2.0
 * Links to the data of templates and ISOs: extractTemplate and extractIso write them, and whoever has such a link downloads
 * the data within ten minutes. The rights of the caller who made a link are evaluated again at each download. Source:
 * ExtractTemplateCmd and TemplateManagerImpl.extract of 4.19. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

/* The path of the URL, before the ticket (auth/token/ticket.h) and the image's format: "/userdata/TICKET.qcow2", as the storage
 * VM has it. */
#define CS_DOWNLOAD_PREFIX "/userdata/"

/* member.write for an image: the URL of its data, for the caller. */
void cs_write_download_url(struct api_call *e, struct json_writer *w, const char *name,
			   const struct row *row);

/* The action that answers a link, and its caller and arguments. */
extern const struct api_action cs_download;
/* Reads the ticket in the path. ERR_UNAUTHENTICATED: the link is not one of ours, or has expired. */
RESULT cs_prove_download(struct api_call *e, uuid *ret_image);
/* Opens the data of that image. ERR_NOT_FOUND: the caller who made the link may not use the image any more, or it has no data. */
RESULT cs_open_download(struct api_call *e, uuid image);
