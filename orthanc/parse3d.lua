-- Tells Parse3D that a series is complete, so that it looks at once instead of at its next turn. Nothing depends on it:
-- Parse3D reads the changes of this archive by itself, and finds what this script could not tell.
--
-- In orthanc.json (1.10 or newer):
--   "LuaScripts": ["/etc/orthanc/parse3d.lua"],
--   "Parse3D": { "Url": "http://127.0.0.1:8117", "Token": "" }
-- Token is PARSE3D_TOKEN of the server; without one, the server has to be on this machine.

local settings = (GetOrthancConfiguration() or {})['Parse3D'] or {}
local url = (settings['Url'] or 'http://127.0.0.1:8117') .. '/v1/hooks/orthanc'
local headers = { ['Content-Type'] = 'application/json' }
if settings['Token'] and settings['Token'] ~= '' then
  headers['Authorization'] = 'Bearer ' .. settings['Token']
end

function OnStableSeries(seriesId, tags, metadata)
  -- Newer versions of Orthanc can wait for less than their HttpTimeout.
  if SetHttpTimeout then
    SetHttpTimeout(3)
  end
  -- A server that is away must not stop the archive's other work: its error ends here.
  pcall(HttpPost, url, DumpJson({ event = 'StableSeries' }, true), headers)
end
