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
/* In answers: "getuploadparams" of that image or volume: where its data are sent to, and what proves that. Its members are
 * CS_UPLOAD_SAYS. */
RESULT cs_write_upload(struct cs_call *e, uuid id, struct json_writer *w);
/* What is waited for, in CloudStack's words of a state; by enum image_sending, and volume_sending, which has the same. */
extern const char *const cs_sending_words[];
#define CS_UPLOAD_SAYS "id|postURL|metadata|expires|signature"
