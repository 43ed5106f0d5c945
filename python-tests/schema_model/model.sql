CREATE TABLE "users" (
  "id" INTEGER PRIMARY KEY,
  "email" TEXT NOT NULL COLLATE "NOCASE",
  "name" TEXT NOT NULL DEFAULT 'nobody',
  "deleted_at" TEXT,
  CONSTRAINT "named" CHECK (length(name) > 0)
);
CREATE UNIQUE INDEX "ux_users_email" ON "users" ("email") WHERE "deleted_at" IS NULL;
CREATE INDEX "by_name" ON "users" ("name", id DESC) WHERE name <> '';
CREATE TABLE "posts" (
  "id" INTEGER PRIMARY KEY,
  "user_id" INTEGER NOT NULL,
  "title" TEXT NOT NULL CHECK (title <> ''),
  "loud" TEXT GENERATED ALWAYS AS (upper(title)) VIRTUAL,
  FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE
);
CREATE INDEX "ix_posts_title" ON "posts" ("title");
CREATE TABLE "tags" (
  "scope" TEXT NOT NULL,
  "word" TEXT NOT NULL,
  "weight" REAL NOT NULL DEFAULT 1.5,
  PRIMARY KEY ("scope", "word")
) STRICT, WITHOUT ROWID;
CREATE VIEW names AS SELECT name FROM users;
