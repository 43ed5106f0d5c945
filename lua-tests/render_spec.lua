local rowtide = require "rowtide"
local helper = require "helper"

describe("rendering", function()
  local db, change
  before_each(function()
    change, db = helper.change(), helper.database()
  end)

  it("makes JSON and takes it back", function()
    local json = assert(change:to_json())
    assert.equal(change, assert(rowtide.from_json(json)))
    assert.equal(change, assert(rowtide.from_json(assert(change:to_json {
      names = db, compact = true,
    }))))
    local back, message, code = rowtide.from_json "{ nonsense"
    assert.is_nil(back)
    assert.is_string(message)
    assert.equal("corrupt", code)
    assert.is_nil((rowtide.from_json ""))
  end)

  it("makes SQL that does the same", function()
    local other = helper.database()
    assert(other:exec(assert(change:to_sql { names = db })))
    assert(db:apply(change))
    assert.equal(helper.dump(db, "users"), helper.dump(other, "users"))
    assert.equal(helper.dump(db, "orders"), helper.dump(other, "orders"))
  end)

  it("makes text and HTML", function()
    local text = assert(change:to_text { names = db })
    assert.is_truthy(text:find("users", 1, true))
    assert.is_truthy(text:find("Ada", 1, true))
    assert.is_nil(text:find("\27", 1, true))
    assert.is_truthy(assert(change:to_text { names = db, color = true }):find("\27", 1, true))
    local html = assert(change:to_html { names = db, title = "A & B", limit = 1 })
    assert.is_truthy(html:find("A &amp; B", 1, true))
    assert.is_truthy(html:lower():find("<html", 1, true))
  end)

  it("streams", function()
    local writer, written = helper.writer()
    assert.is_true(rowtide.stream.to_json(helper.reader(change:bytes(), 5), { sink = writer }))
    assert.equal(change, assert(rowtide.from_json(written())))
  end)
end)
