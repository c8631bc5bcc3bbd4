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
    "disabled_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);
INSERT INTO "new_client" ("allowed_origins", "authentication", "client_uri", "created_at", "disabled_at", "first_party", "grant_types", "id", "id_token_algorithm", "jwks", "jwks_uri", "kind", "logo_uri", "name", "policy_uri", "post_logout_redirect_uris", "redirect_uris", "required_level", "scopes", "tos_uri", "updated_at") SELECT "allowed_origins", "authentication", "client_uri", "created_at", "disabled_at", "first_party", "grant_types", "id", "id_token_algorithm", "jwks", "jwks_uri", "kind", "logo_uri", "name", "policy_uri", "post_logout_redirect_uris", "redirect_uris", "required_level", "scopes", "tos_uri", "updated_at" FROM "client";
DROP TABLE "client";
ALTER TABLE "new_client" RENAME TO "client";
CREATE INDEX "client_created_at_id_idx" ON "client"("created_at", "id");
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
