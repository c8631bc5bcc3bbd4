-- AlterTable
ALTER TABLE "audit_event" ADD COLUMN "user_agent" TEXT;

-- AlterTable
ALTER TABLE "client" ADD COLUMN "required_level" TEXT;

-- CreateTable
CREATE TABLE "address_proof" (
    "token_hash" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "previous_email" TEXT,
    "session_uid" TEXT,
    "created_at" DATETIME NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "consumed_at" DATETIME,
    CONSTRAINT "address_proof_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "sign_in_attempt" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT,
    "proofs" TEXT NOT NULL DEFAULT '[]',
    "passed" TEXT NOT NULL DEFAULT '[]',
    "version" INTEGER NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL,
    "expires_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "challenge" (
    "owner" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "user_id" TEXT,
    "sealed" TEXT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL,
    "expires_at" DATETIME NOT NULL,

    PRIMARY KEY ("owner", "purpose")
);

-- CreateTable
CREATE TABLE "departure" (
    "user_id" TEXT NOT NULL PRIMARY KEY,
    "requested_at" DATETIME NOT NULL,
    "due_at" DATETIME NOT NULL,
    CONSTRAINT "departure_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "captured_mail" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "sealed" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "mail_counter" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "sent" INTEGER NOT NULL,
    "window_ends_at" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "outbox_message" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "topic" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL,
    "available_at" DATETIME NOT NULL,
    "leased_until" DATETIME,
    "tries_until" DATETIME NOT NULL,
    "abandoned_at" DATETIME,
    "last_error" TEXT
);

-- CreateTable
CREATE TABLE "passkey" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "counter" BIGINT NOT NULL,
    "transports" TEXT NOT NULL DEFAULT '[]',
    "aaguid" TEXT NOT NULL,
    "rp_id" TEXT NOT NULL,
    "backed_up" BOOLEAN NOT NULL,
    "multi_device" BOOLEAN NOT NULL,
    "created_at" DATETIME NOT NULL,
    "last_used_at" DATETIME,
    CONSTRAINT "passkey_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "passkey_owner" (
    "user_id" TEXT NOT NULL PRIMARY KEY,
    "handle" TEXT NOT NULL,
    "offer_deferred_until" DATETIME,
    CONSTRAINT "passkey_owner_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "enrolment_grace" (
    "user_id" TEXT NOT NULL PRIMARY KEY,
    "started_at" DATETIME NOT NULL,
    CONSTRAINT "enrolment_grace_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "profile" (
    "user_id" TEXT NOT NULL PRIMARY KEY,
    "fields" TEXT NOT NULL DEFAULT '{}',
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "profile_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "picture" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "body" BLOB NOT NULL,
    "small" BLOB NOT NULL,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "picture_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "recovery_code" (
    "user_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL,
    "used_at" DATETIME,

    PRIMARY KEY ("user_id", "hash"),
    CONSTRAINT "recovery_code_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "invitation" (
    "token_hash" TEXT NOT NULL PRIMARY KEY,
    "id" TEXT NOT NULL,
    "email" TEXT,
    "created_at" DATETIME NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "consumed_at" DATETIME
);

-- CreateTable
CREATE TABLE "terms_acceptance" (
    "user_id" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "accepted_at" DATETIME NOT NULL,

    PRIMARY KEY ("user_id", "version"),
    CONSTRAINT "terms_acceptance_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "totp_authenticator" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "sealed_secret" TEXT NOT NULL,
    "last_step" INTEGER NOT NULL,
    "created_at" DATETIME NOT NULL,
    "last_used_at" DATETIME,
    CONSTRAINT "totp_authenticator_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "trusted_device" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "device_hash" TEXT NOT NULL,
    "previous_hash" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL,
    "last_used_at" DATETIME,
    "expires_at" DATETIME NOT NULL,
    CONSTRAINT "trusted_device_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_password_link" (
    "token_hash" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "purpose" TEXT NOT NULL DEFAULT 'reset',
    "email" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME NOT NULL,
    "consumed_at" DATETIME,
    CONSTRAINT "password_link_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_password_link" ("consumed_at", "created_at", "expires_at", "token_hash", "user_id") SELECT "consumed_at", "created_at", "expires_at", "token_hash", "user_id" FROM "password_link";
DROP TABLE "password_link";
ALTER TABLE "new_password_link" RENAME TO "password_link";
CREATE INDEX "password_link_user_id_idx" ON "password_link"("user_id");
CREATE INDEX "password_link_expires_at_idx" ON "password_link"("expires_at");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "address_proof_user_id_idx" ON "address_proof"("user_id");

-- CreateIndex
CREATE INDEX "address_proof_expires_at_idx" ON "address_proof"("expires_at");

-- CreateIndex
CREATE INDEX "sign_in_attempt_user_id_idx" ON "sign_in_attempt"("user_id");

-- CreateIndex
CREATE INDEX "sign_in_attempt_expires_at_idx" ON "sign_in_attempt"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "challenge_id_key" ON "challenge"("id");

-- CreateIndex
CREATE INDEX "challenge_user_id_idx" ON "challenge"("user_id");

-- CreateIndex
CREATE INDEX "challenge_expires_at_idx" ON "challenge"("expires_at");

-- CreateIndex
CREATE INDEX "departure_due_at_idx" ON "departure"("due_at");

-- CreateIndex
CREATE INDEX "captured_mail_created_at_idx" ON "captured_mail"("created_at");

-- CreateIndex
CREATE INDEX "mail_counter_window_ends_at_idx" ON "mail_counter"("window_ends_at");

-- CreateIndex
CREATE INDEX "outbox_message_topic_abandoned_at_available_at_idx" ON "outbox_message"("topic", "abandoned_at", "available_at");

-- CreateIndex
CREATE INDEX "passkey_user_id_idx" ON "passkey"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "passkey_owner_handle_key" ON "passkey_owner"("handle");

-- CreateIndex
CREATE UNIQUE INDEX "picture_user_id_key" ON "picture"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "invitation_id_key" ON "invitation"("id");

-- CreateIndex
CREATE INDEX "invitation_expires_at_idx" ON "invitation"("expires_at");

-- CreateIndex
CREATE INDEX "invitation_created_at_id_idx" ON "invitation"("created_at", "id");

-- CreateIndex
CREATE INDEX "totp_authenticator_user_id_idx" ON "totp_authenticator"("user_id");

-- CreateIndex
CREATE INDEX "trusted_device_device_hash_idx" ON "trusted_device"("device_hash");

-- CreateIndex
CREATE INDEX "trusted_device_expires_at_idx" ON "trusted_device"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "trusted_device_user_id_device_hash_key" ON "trusted_device"("user_id", "device_hash");

-- CreateIndex
CREATE INDEX "known_device_device_hash_idx" ON "known_device"("device_hash");
