-- AlterTable
ALTER TABLE "artefact" ADD COLUMN "poll_at" BIGINT;
ALTER TABLE "artefact" ADD COLUMN "poll_seconds" INTEGER;

-- CreateTable
CREATE TABLE "application_logout" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "client_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "session_uid" TEXT NOT NULL,
    "sid" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,
    "created_at" DATETIME NOT NULL,
    "tries_until" DATETIME NOT NULL,
    "last_tried_at" DATETIME,
    "ended_at" DATETIME
);

-- CreateTable
CREATE TABLE "authorization_type" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "type" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "fields" TEXT NOT NULL DEFAULT '[]',
    "remember" BOOLEAN NOT NULL DEFAULT false,
    "disabled_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "initial_access_token" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "label" TEXT,
    "hash" TEXT NOT NULL,
    "policy" TEXT NOT NULL DEFAULT '{}',
    "uses_left" INTEGER,
    "expires_at" DATETIME NOT NULL,
    "created_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "client_registration" (
    "client_id" TEXT NOT NULL PRIMARY KEY,
    "token_hash" TEXT NOT NULL,
    "policy" TEXT NOT NULL DEFAULT '{}',
    "admitted_by" TEXT,
    "created_at" DATETIME NOT NULL,
    CONSTRAINT "client_registration_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "trusted_issuer" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "issuer" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "jwks_uri" TEXT,
    "jwks" TEXT,
    "algorithms" TEXT NOT NULL DEFAULT '[]',
    "audiences" TEXT NOT NULL DEFAULT '[]',
    "maximum_lifetime_seconds" INTEGER NOT NULL,
    "single_use" BOOLEAN NOT NULL DEFAULT false,
    "people" TEXT NOT NULL DEFAULT '[]',
    "disabled_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_client" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "first_party" BOOLEAN NOT NULL DEFAULT false,
    "logo_uri" TEXT,
    "client_uri" TEXT,
    "policy_uri" TEXT,
    "tos_uri" TEXT,
    "redirect_uris" TEXT NOT NULL DEFAULT '[]',
    "post_logout_redirect_uris" TEXT NOT NULL DEFAULT '[]',
    "allowed_origins" TEXT NOT NULL DEFAULT '[]',
    "grant_types" TEXT NOT NULL DEFAULT '[]',
    "scopes" TEXT NOT NULL DEFAULT '[]',
    "authentication" TEXT NOT NULL,
    "jwks" TEXT,
    "jwks_uri" TEXT,
    "id_token_algorithm" TEXT NOT NULL DEFAULT 'RS256',
    "required_level" TEXT,
    "protocol" TEXT NOT NULL DEFAULT '{}',
    "origin" TEXT NOT NULL DEFAULT 'administrator',
    "disabled_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);
INSERT INTO "new_client" ("allowed_origins", "authentication", "client_uri", "created_at", "disabled_at", "first_party", "grant_types", "id", "id_token_algorithm", "jwks", "jwks_uri", "kind", "logo_uri", "name", "policy_uri", "post_logout_redirect_uris", "redirect_uris", "required_level", "scopes", "tos_uri", "updated_at") SELECT "allowed_origins", "authentication", "client_uri", "created_at", "disabled_at", "first_party", "grant_types", "id", "id_token_algorithm", "jwks", "jwks_uri", "kind", "logo_uri", "name", "policy_uri", "post_logout_redirect_uris", "redirect_uris", "required_level", "scopes", "tos_uri", "updated_at" FROM "client";
DROP TABLE "client";
ALTER TABLE "new_client" RENAME TO "client";
CREATE INDEX "client_created_at_id_idx" ON "client"("created_at", "id");
CREATE TABLE "new_consent" (
    "user_id" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "scopes" TEXT NOT NULL DEFAULT '[]',
    "claims" TEXT NOT NULL DEFAULT '[]',
    "resources" TEXT NOT NULL DEFAULT '{}',
    "authorization_details" TEXT NOT NULL DEFAULT '[]',
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,

    PRIMARY KEY ("user_id", "client_id"),
    CONSTRAINT "consent_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "consent_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_consent" ("claims", "client_id", "created_at", "resources", "scopes", "updated_at", "user_id") SELECT "claims", "client_id", "created_at", "resources", "scopes", "updated_at", "user_id" FROM "consent";
DROP TABLE "consent";
ALTER TABLE "new_consent" RENAME TO "consent";
CREATE INDEX "consent_client_id_idx" ON "consent"("client_id");
CREATE TABLE "new_resource" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "indicator" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT NOT NULL DEFAULT '[]',
    "introspectors" TEXT NOT NULL DEFAULT '[]',
    "token_format" TEXT NOT NULL DEFAULT 'jwt',
    "token_algorithm" TEXT NOT NULL DEFAULT 'ES256',
    "protocol" TEXT NOT NULL DEFAULT '{}',
    "access_token_ttl_seconds" INTEGER NOT NULL DEFAULT 600,
    "disabled_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);
INSERT INTO "new_resource" ("access_token_ttl_seconds", "created_at", "disabled_at", "id", "indicator", "introspectors", "name", "scopes", "token_algorithm", "token_format", "updated_at") SELECT "access_token_ttl_seconds", "created_at", "disabled_at", "id", "indicator", "introspectors", "name", "scopes", "token_algorithm", "token_format", "updated_at" FROM "resource";
DROP TABLE "resource";
ALTER TABLE "new_resource" RENAME TO "resource";
CREATE UNIQUE INDEX "resource_indicator_key" ON "resource"("indicator");
CREATE INDEX "resource_created_at_id_idx" ON "resource"("created_at", "id");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "application_logout_created_at_id_idx" ON "application_logout"("created_at", "id");

-- CreateIndex
CREATE INDEX "application_logout_client_id_idx" ON "application_logout"("client_id");

-- CreateIndex
CREATE INDEX "application_logout_user_id_idx" ON "application_logout"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "authorization_type_type_key" ON "authorization_type"("type");

-- CreateIndex
CREATE INDEX "authorization_type_created_at_id_idx" ON "authorization_type"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "initial_access_token_hash_key" ON "initial_access_token"("hash");

-- CreateIndex
CREATE INDEX "initial_access_token_created_at_id_idx" ON "initial_access_token"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "client_registration_token_hash_key" ON "client_registration"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "trusted_issuer_issuer_key" ON "trusted_issuer"("issuer");

-- CreateIndex
CREATE INDEX "trusted_issuer_created_at_id_idx" ON "trusted_issuer"("created_at", "id");
