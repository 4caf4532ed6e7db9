/* SPDX-License-Identifier: Apache-2.0
 * Data of templates, ISOs and volumes that clients send by POST, as forms with a file (base/multipart.h): getUploadParamsFor…
 * tells them where to, and which headers prove it. Source: TemplateManagerImpl, ImageStoreUtil, EncryptionUtil,
 * HttpUploadServerHandler and NfsSecondaryStorageResource of 4.18. */
#pragma once

#include "api/cloudstack/core/action.h"

/* The path of the URL, before the id of the image or the volume. */
#define CS_UPLOAD_PREFIX "/upload/"

/* In prepare, before tables are read. ERR_DENIED: the caller, an administrator, has no role in the account that the image is for. */
RESULT cs_begin_upload(struct cs_call *e);
/* In answers: writes "getuploadparams" of that image or volume: the URL for its data, and the signature that the upload needs.
 * Its members are CS_UPLOAD_SAYS. */
RESULT cs_write_upload(struct cs_call *e, uuid id, struct json_writer *w);
/* CloudStack's words for the states of an upload, by enum image_sending, which equals enum volume_sending. */
extern const char *const cs_sending_words[];
#define CS_UPLOAD_SAYS "id|postURL|metadata|expires|signature"
